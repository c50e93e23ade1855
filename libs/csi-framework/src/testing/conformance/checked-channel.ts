import { randomUUID } from "node:crypto";

import type { CsiChannel } from "../../csi-channel.ts";
import { FIELDS } from "../../gen/fields.ts";
import { RPCS, type RpcMethod } from "../../gen/rpcs.ts";
import { METHODS } from "../../methods.ts";
import { findFault } from "../../validate-message.ts";
import { ConformanceError, must } from "./must.ts";
import type { ConformanceSettings } from "./options.ts";

/** A channel that looks at all that passes. */
export interface CheckedChannel extends CsiChannel {
  /** What every call with secrets has sent as one of them. */
  readonly plantedSecret: string;
  /** The same error, or if the plugin has answered a call with it, one that names the call. */
  named(error: unknown): unknown;
}

/**
 * Sends a recognisable secret with every call that takes secrets, and throws a {@link ConformanceError} for an answer that
 * breaks the protocol's rules and for an error that tells a secret.
 */
export function checkedChannel(channel: CsiChannel, { secrets }: ConformanceSettings): CheckedChannel {
  const plantedSecret = `planted-secret-${randomUUID()}`;
  const send = (rpc: RpcMethod, request: object): object => withSecrets(rpc, request, secrets[rpc], plantedSecret);
  const answered = new WeakMap<Error, RpcMethod>();
  const checkError = (rpc: RpcMethod, error: unknown): unknown => {
    if (!(error instanceof Error)) return error;
    if (error.message.includes(plantedSecret)) {
      return new ConformanceError(`an error of ${RPCS[rpc].name} tells a secret`);
    }
    answered.set(error, rpc);
    return error;
  };
  return {
    plantedSecret,
    named: (error) => {
      const rpc = error instanceof Error ? answered.get(error) : undefined;
      if (!(error instanceof Error) || rpc === undefined || error instanceof ConformanceError) return error;
      const code = "code" in error ? String(error.code) : "an error";
      return new ConformanceError(`${RPCS[rpc].name} must succeed, it ends with ${code}: ${error.message}`, {
        cause: error,
      });
    },
    async unary(rpc, request, limits) {
      const answer = await channel.unary(rpc, send(rpc, request), limits).catch((error: unknown) => {
        throw checkError(rpc, error);
      });
      checkAnswer(rpc, answer);
      return answer;
    },
    async *stream(rpc, request, limits) {
      try {
        for await (const answer of channel.stream(rpc, send(rpc, request), limits)) {
          checkAnswer(rpc, answer);
          yield answer;
        }
      } catch (error) {
        throw checkError(rpc, error);
      }
    },
    close: () => channel.close(),
  };
}

function checkAnswer(rpc: RpcMethod, answer: object): void {
  const { name, answer: message } = RPCS[rpc];
  const fault = findFault(message, answer, METHODS[rpc].answers);
  must(fault === undefined, `the answer to ${name} is not valid: ${fault}`);
}

function withSecrets(
  rpc: RpcMethod,
  request: object,
  own: Readonly<Record<string, string>> = {},
  planted: string,
): object {
  const takesSecrets = FIELDS[RPCS[rpc].request]?.some(({ key, secret }) => key === "secrets" && secret) === true;
  return takesSecrets ? { ...request, secrets: { ...own, conformance: planted } } : request;
}
