import { type NvmfSubsystem, SpdkRpcError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";
import type { Target } from "../targets/target.ts";
import { ensureKeys } from "./authentication.ts";
import { type ExportPart, exportParts, hostsOf, type WantedExport } from "./export-parts.ts";
import { ensureTransport } from "./transports.ts";

/** From this release on, changes of one subsystem that are sent together wait for one another; before, they are refused. */
export const QUEUES_CHANGES = 2405;

/** A target that answers "busy", or had lost its transport, is asked again so often. */
const ATTEMPTS = 3;

/** What completing an export came to. */
export interface Completed {
  /** The subsystem as it was right after the host had been admitted, or later. */
  readonly subsystem: NvmfSubsystem | undefined;
  /** Whether the target says that this call admitted the host; before v24.05 it says so of one that was there, too. */
  readonly hasAdmitted: boolean;
}

/** Makes what an export lacks, `before` being how the subsystem was found. */
export async function completeExport(
  target: Target,
  wanted: WantedExport,
  before: NvmfSubsystem | undefined,
): Promise<Completed> {
  const parts = exportParts(target, wanted);
  let subsystem = before;
  let hasAdmitted = false;
  let failure: SpdkRpcError | undefined;
  const missing = (): ExportPart[] => parts.filter((part) => !part.isIn(subsystem));
  for (let attempt = 0; attempt < ATTEMPTS && missing().length > 0; attempt += 1) {
    if (missing().some(({ kind }) => kind === "listener")) await ensureTransport(target, attempt > 0);
    if (missing().some(({ kind }) => kind === "host")) await ensureKeys(target, attempt > 0);
    const made = await make(target, missing(), wanted.nqn);
    hasAdmitted ||= made.hasAdmitted;
    if (made.error === undefined && hostsOf(made.seen).includes(wanted.host))
      return { subsystem: made.seen, hasAdmitted };
    // Codes are not to be trusted: what stands there now decides.
    failure = made.error;
    subsystem = await target.findSubsystem(wanted.nqn);
  }
  if (missing().length === 0) return { subsystem, hasAdmitted };
  throw await refusal(target, wanted, missing(), failure);
}

interface Made {
  /** The subsystem as the read behind `add_host` showed it. */
  readonly seen: NvmfSubsystem | undefined;
  readonly hasAdmitted: boolean;
  readonly error: SpdkRpcError | undefined;
}

/** Sends what is missing: in one write where the target queues changes, else in rounds of what it takes together. */
async function make(target: Target, missing: readonly ExportPart[], nqn: string): Promise<Made> {
  const { release } = await target.facts();
  const isQueued = release >= QUEUES_CHANGES;
  const errors: unknown[] = [];
  let hasAdmitted = false;
  const send = async (part: ExportPart): Promise<void> => {
    try {
      await part.make();
      if (part.kind === "host") hasAdmitted = true;
    } catch (error) {
      errors.push(error);
    }
  };
  const early = missing.filter(({ kind }) => kind === "subsystem" || kind === "host");
  const late = missing.filter((part) => !early.includes(part));
  // The read goes out behind add_host: of two controllers that admit different hosts, one at least sees both.
  const look = async (): Promise<NvmfSubsystem | undefined> => {
    try {
      return await target.findSubsystem(nqn);
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  };
  const sent = [...early.map(send), look(), ...(isQueued ? late.map(send) : [])];
  const answers = await Promise.all(sent);
  if (!isQueued) for (const part of late) await send(part);
  const lost = errors.find((error) => !(error instanceof SpdkRpcError));
  if (lost !== undefined) throw lost;
  return {
    seen: answers.find((answer) => answer !== undefined) ?? undefined,
    hasAdmitted,
    error: errors.find((error) => error instanceof SpdkRpcError),
  };
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
