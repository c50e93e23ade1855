import { difference } from "./compare.ts";
import { callOf, type Recorded, type Reply } from "./recording.ts";
import type { Summary } from "./summary.ts";
import type { Translation } from "./translation.ts";
import type { Wire } from "./wire.ts";

/** Sends recorded calls in their order and notes how the answers compare. */
export class Replay {
  readonly #translation: Translation;
  readonly #summary: Summary;
  /** What the recorded target has. */
  readonly #recorded: ReadonlySet<string>;
  #methods: ReadonlySet<string> | undefined;

  constructor(translation: Translation, summary: Summary, recorded: ReadonlySet<string>) {
    this.#translation = translation;
    this.#summary = summary;
    this.#recorded = recorded;
  }

  async run(wire: Wire, records: readonly Recorded[]): Promise<void> {
    this.#methods ??= new Set((await wire.call('{"id":1,"method":"rpc_get_methods"}')).result as string[]);
    for (const record of records) await this.#record(wire, this.#methods, record);
  }

  async #record(wire: Wire, methods: ReadonlySet<string>, record: Recorded): Promise<void> {
    const call = callOf(record);
    if (call === undefined) return;
    const { name, form, request } = record;
    const { method, response } = call;
    if (!methods.has(method) && this.#recorded.has(method)) {
      this.#summary.absent(method);
      return;
    }
    this.#translation.provide(name, request?.params);
    const actual = await wire.call(this.#translation.request(record.requestText));
    this.#translation.learn(response.result, actual.result);
    const compared =
      method === "rpc_get_methods" && Array.isArray(actual.result)
        ? this.#unknown(actual)
        : difference(response, actual);
    this.#summary.add(form === "own" ? `${name} (own form)` : name, compared);
  }

  /** A target that has fewer methods is fine, one that has others is not. */
  #unknown({ result }: Reply): string | undefined {
    const others = (result as string[]).filter((method) => !this.#recorded.has(method));
    return others.length === 0 ? undefined : `methods that the real target does not have: ${others.join(", ")}`;
  }
}
