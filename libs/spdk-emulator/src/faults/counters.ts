/** What one connection has cost, as emulator_get_counters shows it. */
export interface CountersOfConnection {
  readonly connection: number;
  readonly transport: "stream" | "http";
  readonly open: boolean;
  /** Calls, each of a batch as well; those of emulator_* methods are not counted. */
  readonly calls: number;
  /** How often the client sent something after it had heard something: what is pipelined in between counts as one. */
  readonly round_trips: number;
  readonly bytes_received: number;
  readonly bytes_sent: number;
  readonly methods: Readonly<Record<string, number>>;
}

/** Counts what goes over one connection. */
export class ConnectionCounters {
  readonly #connection: number;
  readonly #transport: "stream" | "http";
  readonly #methods = new Map<string, number>();
  #open = true;
  #calls = 0;
  #roundTrips = 0;
  #received = 0;
  #sent = 0;
  /** Whether the client has heard something since its last call. */
  #heard = true;

  constructor(connection: number, transport: "stream" | "http") {
    this.#connection = connection;
    this.#transport = transport;
  }

  called(method: string): void {
    if (this.#heard) this.#roundTrips += 1;
    this.#heard = false;
    this.#calls += 1;
    this.#methods.set(method, (this.#methods.get(method) ?? 0) + 1);
  }

  received(bytes: number): void {
    this.#received += bytes;
  }

  sent(bytes: number): void {
    this.#sent += bytes;
    this.#heard = true;
  }

  close(): void {
    this.#open = false;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  describe(): CountersOfConnection {
    return {
      connection: this.#connection,
      transport: this.#transport,
      open: this.#open,
      calls: this.#calls,
      round_trips: this.#roundTrips,
      bytes_received: this.#received,
      bytes_sent: this.#sent,
      methods: Object.fromEntries(this.#methods),
    };
  }

  reset(): void {
    this.#methods.clear();
    this.#calls = 0;
    this.#roundTrips = 0;
    this.#received = 0;
    this.#sent = 0;
    this.#heard = true;
  }
}

/** This many closed connections are remembered. */
const REMEMBERED = 1024;

/** Counts per connection. */
export class Counters {
  #connections: ConnectionCounters[] = [];
  #last = 0;

  open(transport: "stream" | "http"): ConnectionCounters {
    if (this.#connections.length >= 2 * REMEMBERED) {
      const closed = this.#connections.filter((each) => !each.isOpen).slice(-REMEMBERED);
      this.#connections = this.#connections.filter((each) => each.isOpen || closed.includes(each));
    }
    this.#last += 1;
    const counters = new ConnectionCounters(this.#last, transport);
    this.#connections.push(counters);
    return counters;
  }

  describe(): readonly CountersOfConnection[] {
    return this.#connections.map((each) => each.describe());
  }

  /** Begins anew: open connections at zero, closed ones forgotten. */
  reset(): void {
    this.#connections = this.#connections.filter((each) => each.isOpen);
    for (const each of this.#connections) each.reset();
  }
}
