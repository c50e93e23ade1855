import { isDeepStrictEqual } from "node:util";

import { CsiClient } from "../../csi-client.ts";
import type { CsiDriver } from "../../driver.ts";
import { RPCS } from "../../gen/rpcs.ts";
import { Boundary } from "./boundary.ts";
import { type BackendCall, FAULT_KINDS, type FaultKind } from "./fault.ts";
import { replayingChannel } from "./replaying-channel.ts";

/** A driver, what outlives it, and what is done with both. */
export interface CrashReplayOptions<Backend extends object> {
  /** An empty backend: a fake that keeps what a driver has done, whoever asks. */
  readonly makeBackend: () => Backend | Promise<Backend>;
  /** A new driver over a backend. Each call that it makes to an asynchronous method of the backend is a point of failure. */
  readonly makeDriver: (backend: Backend) => CsiDriver | readonly CsiDriver[];
  /** What an orchestrator does. Every call is repeated until it succeeds; one at a time. */
  readonly scenario: (client: CsiClient) => Promise<void>;
  /** All of a backend's state that matters, comparable, without what differs from run to run. */
  readonly snapshot: (backend: Backend) => unknown;
  /** What is in a backend that no call can reach any more. Default: nothing is looked for. */
  readonly orphans?: (backend: Backend) => readonly unknown[];
  /** How many faults there are in one run, at most: with 2 the repetition is struck, too. Default 1. */
  readonly faults?: 1 | 2;
  /** What a failing call rejects with. Default: a PlantedFailure. */
  readonly failure?: (call: BackendCall) => unknown;
  /** How a call of a backend that has one method for all is told from the others. Default: by the method's name. */
  readonly nameCall?: (method: string, args: readonly unknown[]) => string;
  /** How often a call is tried. Default 10. */
  readonly tries?: number;
  /** How long one try may take. Default 5,000. */
  readonly timeoutMs?: number;
}

/** A run that went wrong. */
export interface CrashFailure {
  /** Where the faults were, in their order. */
  readonly points: readonly (BackendCall & { readonly kind: FaultKind })[];
  /** What was wrong afterwards. */
  readonly problem: string;
}

/** What a replay has tried. */
export interface CrashReport {
  /** The calls of a run without faults: each was struck in each way. */
  readonly calls: readonly BackendCall[];
  /** How many runs with faults there were. */
  readonly runs: number;
}

/** A driver does not recover from a fault. Its message names each point, at most ten. */
export class CrashReplayError extends Error {
  override readonly name = "CrashReplayError";
  readonly failures: readonly CrashFailure[];

  constructor(failures: readonly CrashFailure[], runs: number) {
    const shown = failures.slice(0, 10).map(describe);
    super(`${failures.length} of ${runs} runs go wrong:\n${shown.join("\n")}`);
    this.failures = failures;
  }
}

/**
 * Runs a scenario once without faults, then once for each call of the driver to its backend and each kind of fault. After
 * each RPC of each run the backend must be as it was after the same RPC of the run without faults, without orphans.
 *
 * @throws CrashReplayError that names the points where it is not.
 */
export async function crashReplay<Backend extends object>(options: CrashReplayOptions<Backend>): Promise<CrashReport> {
  const asyncMethods = new Set<string>();
  // The first run tells which methods are asynchronous, the second whether all runs are alike.
  const first = await run(options, asyncMethods, new Map());
  const expected = await run(options, asyncMethods, new Map());
  const unlike = problemOf(first, expected);
  if (unlike !== undefined) throw new Error(`the scenario does not work without faults: ${unlike}`);

  const failures: CrashFailure[] = [];
  let runs = 0;
  const strike = async (faults: ReadonlyMap<number, FaultKind>, from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at += 1) {
      for (const kind of FAULT_KINDS) {
        const struck = new Map([...faults, [at, kind]]);
        const outcome = await run(options, asyncMethods, struck);
        runs += 1;
        const problem = problemOf(outcome, expected);
        if (problem !== undefined) failures.push({ points: pointsOf(outcome, struck), problem });
        else if (struck.size < (options.faults ?? 1)) await strike(struck, at + 1, outcome.calls.length);
      }
    }
  };
  await strike(new Map(), 0, expected.calls.length);
  if (failures.length > 0) throw new CrashReplayError(failures, runs);
  return { calls: expected.calls, runs };
}

interface Outcome {
  readonly calls: readonly BackendCall[];
  /** The backend after each RPC. */
  readonly states: readonly { readonly rpc: string; readonly state: unknown; readonly orphans: readonly unknown[] }[];
  readonly error?: unknown;
}

async function run<Backend extends object>(
  options: CrashReplayOptions<Backend>,
  asyncMethods: Set<string>,
  faults: ReadonlyMap<number, FaultKind>,
): Promise<Outcome> {
  const {
    makeBackend,
    makeDriver,
    scenario,
    snapshot,
    orphans,
    failure,
    nameCall,
    tries = 10,
    timeoutMs = 5_000,
  } = options;
  const backend = await makeBackend();
  const boundary = new Boundary({ asyncMethods, faults, failure, nameCall });
  const states: { rpc: string; state: unknown; orphans: readonly unknown[] }[] = [];
  const channel = replayingChannel({
    boundary,
    makeDriver: () => makeDriver(boundary.wrap(backend)),
    tries,
    timeoutMs,
    onDone: (rpc) => {
      const state = structuredClone(snapshot(backend));
      states.push({ rpc: RPCS[rpc].name, state, orphans: structuredClone(orphans?.(backend) ?? []) });
    },
  });
  try {
    await scenario(new CsiClient(channel));
    return { calls: boundary.calls, states };
  } catch (error) {
    return { calls: boundary.calls, states, error };
  }
}

/** What is wrong with a run, judged by one without faults. */
function problemOf({ states, error }: Outcome, expected: Outcome): string | undefined {
  for (const [index, { rpc, state, orphans }] of states.entries()) {
    if (orphans.length > 0) return `after ${rpc} there are orphans: ${show(orphans)}`;
    const wanted = expected.states[index]?.state;
    if (!isDeepStrictEqual(state, wanted)) return `after ${rpc} there is ${show(state)} instead of ${show(wanted)}`;
  }
  return error === undefined ? undefined : reasons(error).join(", because ");
}

/** What an error says, and what those say that it was caused by. */
function reasons(error: unknown): string[] {
  if (!(error instanceof Error)) return [show(error)];
  return [error.message, ...(error.cause === undefined ? [] : reasons(error.cause))];
}

function pointsOf({ calls }: Outcome, faults: ReadonlyMap<number, FaultKind>): CrashFailure["points"] {
  return [...faults].flatMap(([at, kind]) => {
    const call = calls[at];
    return call === undefined ? [] : [{ ...call, kind }];
  });
}

function describe({ points, problem }: CrashFailure): string {
  const where = points.map(({ rpc, step, number, method, kind }) => {
    const place = `${rpc} (step ${step}), call ${number} to the backend`;
    return `${place}: ${kind} ${method}`;
  });
  return `- ${where.join("; then ")}: ${problem}`;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}` : each)) ?? "nothing";
}
