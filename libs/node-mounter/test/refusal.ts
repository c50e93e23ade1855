import type { NodeMounterError } from "../src/host/node-mounter-error.ts";

/** The error with which a call is refused; throws when it is not, or not with one of that class. */
export async function refusalOf<Refusal extends NodeMounterError>(
  kind: new (...args: never[]) => Refusal,
  call: Promise<unknown>,
): Promise<Refusal> {
  const error: unknown = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof kind) return error;
  throw new Error(`not refused with a ${kind.name}: ${String(error)}`);
}
