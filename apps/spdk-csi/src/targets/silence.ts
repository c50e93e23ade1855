/** So long a target may say nothing while calls wait: the largest lvol allowed stalls it for less. */
const PATIENCE_MS = 5_000;

/** After so long without a word a target is asked whether it is there: one call alone may take long. */
const ASK_AFTER_MS = 2_000;

/** How often those who wait are looked at. */
const LOOK_EVERY_MS = 500;

/** A call's end, as far as it tells whether anybody is there. */
export type SignOfLife = "answered" | "refused" | "none";

/** What a {@link Silence} is made of. */
export interface SilenceOptions {
  /** Asks the target for a sign of life; what it answers is told by {@link Silence.heard}. */
  readonly ask: () => void;
  /** The error of calls that are no longer waited for. */
  readonly toError: (silentMs: number) => Error;
  readonly now?: () => number;
}

interface Waiting {
  readonly startedAt: number;
  readonly giveUp: (error: Error) => void;
}

/** Notices a target that no longer says anything, so that nobody waits for it. */
export class Silence {
  readonly #options: SilenceOptions;
  readonly #now: () => number;
  /** Who has waited the longest comes first. */
  readonly #waiting = new Set<Waiting>();
  #lastSign: number;
  #lastAsked = Number.NEGATIVE_INFINITY;
  /** Since when nothing was heard; kept when those who waited have gone. */
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#lastSign = this.#now();
  }

  /** Gives what `answer` gives, unless the target falls silent before. `signOf` reads an error. */
  async whileHeard<T>(answer: Promise<T>, signOf: (error: unknown) => SignOfLife): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting = { startedAt: this.#now(), giveUp: reject };
      this.#waiting.add(waiting);
      this.#timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
      answer.then(
        (value) => {
          this.#ended(waiting, "answered");
          resolve(value);
        },
        (error: unknown) => {
          this.#ended(waiting, signOf(error));
          reject(error);
        },
      );
    });
  }

  #ended(waiting: Waiting, sign: SignOfLife): void {
    this.#waiting.delete(waiting);
    if (sign === "none") this.#note(waiting.startedAt);
    else this.heard();
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The target, or the system in its place, has said something. */
  heard(): void {
    this.#lastSign = this.#now();
    this.#since = undefined;
  }

  /** Throws while the target is silent, and asks it whether it is back. */
  assertHeard(): void {
    this.look();
    if (this.#since === undefined) return;
    this.#ask();
    throw this.#options.toError(this.#now() - this.#since);
  }

  /** Looks at those who wait: asks after the target, and after a while ends their waiting. */
  look(): void {
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    this.#note(oldest.startedAt);
    if (this.#now() - Math.max(oldest.startedAt, this.#lastSign) >= ASK_AFTER_MS) this.#ask();
    if (this.#since !== undefined) this.giveUp();
  }

  /** Ends the waiting of all who wait. */
  giveUp(): void {
    const [oldest] = this.#waiting;
    const since = this.#since ?? oldest?.startedAt ?? this.#now();
    const error = this.#options.toError(this.#now() - since);
    for (const { giveUp } of this.#waiting) giveUp(error);
    this.#waiting.clear();
  }

  #note(waitingSince: number): void {
    const since = Math.max(waitingSince, this.#lastSign);
    if (this.#since === undefined && this.#now() - since >= PATIENCE_MS) this.#since = since;
  }

  #ask(): void {
    if (this.#now() - this.#lastAsked < ASK_AFTER_MS / 2) return;
    this.#lastAsked = this.#now();
    this.#options.ask();
  }
}
