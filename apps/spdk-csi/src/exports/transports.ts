import { isExists, SpdkRpcError } from "@org/spdk-rpc";

import type { Target } from "../targets/target.ts";

const TRANSPORT = "TCP";

/**
 * Makes the transport that listeners need: a target starts without any and forgets them with every restart. Only one
 * create is ever under way, because targets carry out several that come together, each of them, and die of it later.
 */
export async function ensureTransport(target: Target, askAgain: boolean): Promise<void> {
  const { transports } = await target.facts();
  const known = transports.get(TRANSPORT);
  if (known !== undefined) await known;
  if (askAgain && transports.get(TRANSPORT) === known && !(await hasTransport(target))) transports.delete(TRANSPORT);
  const coming = transports.get(TRANSPORT) ?? target.oneAtATime(`create ${TRANSPORT}`, () => create(target));
  transports.set(TRANSPORT, coming);
  try {
    await coming;
  } catch (error) {
    if (transports.get(TRANSPORT) === coming) transports.delete(TRANSPORT);
    throw error;
  }
}

async function create(target: Target): Promise<void> {
  try {
    await target.call("nvmf_create_transport", { trtype: TRANSPORT });
  } catch (error) {
    // Another controller was as fast.
    if (!(error instanceof SpdkRpcError) || !(isExists(error) || (await hasTransport(target)))) throw error;
  }
}

async function hasTransport(target: Target): Promise<boolean> {
  return (await target.call("nvmf_get_transports")).some(({ trtype }) => trtype.toUpperCase() === TRANSPORT);
}
