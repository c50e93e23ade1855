import type { CallContext } from "../src/call-context.ts";
import type { CsiChannel } from "../src/csi-channel.ts";
import { CsiError } from "../src/csi-error.ts";
import type { CsiDriver } from "../src/driver.ts";
import type { RpcMethod } from "../src/gen/rpcs.ts";
import { sampleAnswer } from "../src/testing/sample-message.ts";

/** A message of any RPC, untyped as parsed JSON is: a mutant may be wrong in any way. */
type Loose = ReturnType<typeof JSON.parse>;
type Method = (request: Loose, context: CallContext) => Loose;

/** A fault, planted into a plugin that has none. */
export interface Mutant {
  /** What the plugin does wrong. */
  readonly fault: string;
  readonly plant: (drivers: readonly CsiDriver[]) => readonly CsiDriver[];
}

/** A fault of an answer that no driver can give through the framework, which would refuse it. */
export interface TamperedAnswer {
  readonly fault: string;
  readonly rpc: RpcMethod;
  readonly tamper: (answer: Loose) => object;
}

/** A mutant whose `rpc` is replaced. `original` is the method as it was. */
export function mutant(fault: string, rpc: RpcMethod, replace: (original: Method) => Method): Mutant {
  return {
    fault,
    plant: (drivers) => {
      const driver = drivers.find((each) => each[rpc] !== undefined && Object.hasOwn(Object.getPrototypeOf(each), rpc));
      if (driver === undefined) throw new Error(`no driver has ${rpc}`);
      const original = (driver[rpc] as Method).bind(driver);
      Object.assign(driver, { [rpc]: replace(original) });
      return drivers;
    },
  };
}

/** Forgets what it did for a request, so that the same one fails the second time. */
export function notIdempotent(rpc: RpcMethod, code: "ALREADY_EXISTS" | "NOT_FOUND" | "INTERNAL"): Mutant {
  const seen = new Set<string>();
  return mutant(`${rpc} answers ${code} when it is repeated`, rpc, (original) => async (request, context) => {
    if (seen.has(textOf(request))) throw new CsiError(code, "again?");
    const answer: unknown = await original(request, context);
    seen.add(textOf(request));
    return answer;
  });
}

/** Does its work for a request, and then says once that it has failed. */
export function failsAfterwards(rpc: RpcMethod): Mutant {
  const seen = new Set<string>();
  return mutant(`${rpc} fails after it has done its work`, rpc, (original) => async (request, context) => {
    const answer: unknown = await original(request, context);
    if (seen.has(textOf(request))) return answer;
    seen.add(textOf(request));
    throw CsiError.internal("failed, or so it says");
  });
}

/** Tells requests apart, whatever their secrets are. */
function textOf(request: object): string {
  return JSON.stringify(request, (name, value: unknown) => {
    if (name === "secrets") return {};
    return typeof value === "bigint" ? `${value}` : value;
  });
}

/** Answers another code than the one it should. */
export function wrongCode(rpc: RpcMethod, right: string, wrong: "INTERNAL" | "UNKNOWN" | "NOT_FOUND"): Mutant {
  return mutant(`${rpc} answers ${wrong} instead of ${right}`, rpc, (original) => async (request, context) => {
    try {
      return await original(request, context);
    } catch (error) {
      throw error instanceof CsiError && error.code === right ? new CsiError(wrong, error.message) : error;
    }
  });
}

/** Says OK without doing anything. */
export function doesNothing(rpc: RpcMethod): Mutant {
  return mutant(`${rpc} answers OK and does nothing`, rpc, () => async () => ({}));
}

/** Answers what the protocol requires, the same to everybody. */
export function answersSample(rpc: RpcMethod): Mutant {
  return mutant(`${rpc} answers no more than it must`, rpc, () => async () => sampleAnswer(rpc));
}

/** Changes an answer. */
export function answers(fault: string, rpc: RpcMethod, change: (answer: Loose, request: Loose) => object): Mutant {
  return mutant(
    fault,
    rpc,
    (original) => async (request, context) => change(await original(request, context), request),
  );
}

/** A channel that changes the answers of one RPC. */
export function tampered(channel: CsiChannel, { rpc, tamper }: TamperedAnswer): CsiChannel {
  return {
    ...channel,
    unary: async (method, request, limits) => {
      const answer = await channel.unary(method, request, limits);
      return method === rpc ? tamper(answer) : answer;
    },
    stream: async function* (method, request, limits) {
      for await (const answer of channel.stream(method, request, limits))
        yield method === rpc ? tamper(answer) : answer;
    },
  };
}
