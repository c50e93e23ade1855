import { isExists, type NvmfSubsystem, SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import type { Target } from "../targets/target.ts";
import { type ExportPart, exportParts, hostsOf, type WantedExport } from "./export-parts.ts";

/** From this release on, changes of one subsystem that are sent together wait for one another; before, they are refused. */
const QUEUES_CHANGES = 2405;

/** A target that answers "busy", or had lost its transport, is asked again so often. */
const ATTEMPTS = 3;

/** Makes what an export lacks; the subsystem as it was right after the host had been admitted, where that was seen. */
export async function completeExport(
  target: Target,
  wanted: WantedExport,
  before: NvmfSubsystem | undefined,
): Promise<NvmfSubsystem | undefined> {
  const parts = exportParts(target, wanted);
  const read = (): Promise<NvmfSubsystem | undefined> => target.findSubsystem(wanted.nqn);
  let known = before;
  let failure: SpdkRpcError | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const missing = parts.filter((part) => !part.isIn(known));
    if (missing.length === 0) return known;
    if (missing.some(({ kind }) => kind === "listener")) await ensureTransport(target, attempt > 0);
    const { seen, error } = await make(target, missing, read);
    if (error === undefined && hostsOf(seen).includes(wanted.host)) return seen;
    failure = error;
    known = await read();
  }
  const missing = parts.filter((part) => !part.isIn(known));
  if (missing.length === 0) return known;
  throw await refusal(target, wanted, missing, failure);
}

interface Made {
  /** The subsystem, if the read behind `add_host` already showed the host. */
  readonly seen: NvmfSubsystem | undefined;
  /** The first refusal. Codes are not to be trusted: what stands there afterwards decides. */
  readonly error: SpdkRpcError | undefined;
}

/** Sends what is missing: in one write where the target queues changes, else in rounds of what it takes together. */
async function make(
  target: Target,
  missing: readonly ExportPart[],
  read: () => Promise<NvmfSubsystem | undefined>,
): Promise<Made> {
  const { release } = await target.facts();
  const early = missing.filter(({ kind }) => kind === "subsystem" || kind === "host");
  const late = missing.filter((part) => !early.includes(part));
  const queued = release >= QUEUES_CHANGES;
  // The read goes out behind add_host: of two controllers that admit different hosts, one at least sees both.
  const sent = [...early.map((part) => part.make()), read(), ...(queued ? late : []).map((part) => part.make())];
  const outcomes = await Promise.allSettled(sent);
  const look = outcomes[early.length];
  if (!queued) for (const part of late) outcomes.push(...(await Promise.allSettled([part.make()])));
  const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  const lost = errors.find((error) => !(error instanceof SpdkRpcError));
  if (lost !== undefined) throw lost;
  return {
    seen: look?.status === "fulfilled" ? (look.value as NvmfSubsystem | undefined) : undefined,
    error: errors.find((error) => error instanceof SpdkRpcError),
  };
}

/** A target starts without transports and forgets them with every restart. */
async function ensureTransport(target: Target, askAgain: boolean): Promise<void> {
  const { transports } = await target.facts();
  if (askAgain) {
    transports.clear();
    for (const { trtype } of await target.call("nvmf_get_transports")) transports.add(trtype.toUpperCase());
  }
  if (transports.has("TCP")) return;
  try {
    await target.call("nvmf_create_transport", { trtype: "TCP" });
  } catch (error) {
    // Another call was as fast.
    if (!(error instanceof SpdkRpcError) || !(isExists(error) || (await hasTransport(target)))) throw error;
  }
  transports.add("TCP");
}

async function hasTransport(target: Target): Promise<boolean> {
  return (await target.call("nvmf_get_transports")).some(({ trtype }) => trtype.toUpperCase() === "TCP");
}

/** Why an export cannot be completed, in words that lead on. */
async function refusal(
  target: Target,
  { nqn, uuid }: WantedExport,
  missing: readonly ExportPart[],
  cause: SpdkRpcError | undefined,
): Promise<DriverError> {
  const [first] = missing;
  const why = cause === undefined ? "" : `: ${cause.message}`;
  if (first?.kind === "subsystem" && (await isFull(target))) {
    return new DriverError(
      "NO_SPACE",
      `target "${target.name}" has as many subsystems as it takes: raise nvmf_set_max_subsystems in its start-up, or unpublish volumes (${uuid} was to be exported)`,
      { cause },
    );
  }
  const remedy = first?.kind === "listener" ? "; the portals of the config must be addresses of the target" : "";
  return new DriverError(
    "TARGET_MISBEHAVED",
    `target "${target.name}" did not make the ${missing.map(({ name }) => name).join(", the ")} of ${nqn}${why}${remedy}`,
    { cause },
  );
}

/** Whether the target has no room for one more subsystem (the discovery subsystem counts). */
async function isFull(target: Target): Promise<boolean> {
  const [subsystems, config] = await Promise.all([
    target.subsystems(),
    target.call("framework_get_config", { name: "nvmf" }).catch(() => undefined),
  ]);
  const limit = Array.isArray(config) ? config.find(({ method }) => method === "nvmf_set_max_subsystems") : undefined;
  const max = (limit?.params as { readonly max_subsystems?: number } | undefined)?.max_subsystems ?? DEFAULT_MAX;
  return subsystems.length >= max;
}

/** SPDK's own limit where none was set. */
const DEFAULT_MAX = 1024;
