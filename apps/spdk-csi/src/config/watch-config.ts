import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { Logger } from "@org/csi-framework";

import { type Config, type ConfigPaths, loadConfig } from "./config-file.ts";
import { ConfigError } from "./document.ts";
import type { TargetConfig } from "./target-config.ts";

/** How a configuration is watched. */
export interface WatchOptions {
  readonly paths: ConfigPaths;
  /** What is in use. */
  readonly config: Config;
  readonly logger: Logger;
  /** Called with targets that differ from those in use. What it throws is logged. */
  readonly onChange: (targets: readonly TargetConfig[]) => void;
  /** How often the files are read when nothing tells of a change, in milliseconds. Default 5,000. */
  readonly pollMs?: number;
  /** For how long what was read has to stay the same before it counts, in milliseconds. Default 100. */
  readonly settleMs?: number;
}

/** A configuration that is being watched. */
export interface ConfigWatch {
  /** Ends it: nothing is called any more. */
  close(): void;
}

/** What reading led to. */
type Outcome = Config | { readonly problems: readonly string[] };

/**
 * Reads the configuration again whenever its files change, however that is done: written in place, replaced by an
 * editor, swapped as a whole by Kubernetes. A wrong one is logged once, and what is in use stays in use.
 *
 * Folders are watched, because a file that is replaced takes its watch along. What they do not tell of, as with links
 * that lead elsewhere, with network filesystems or with certificates, is found by reading every few seconds.
 */
export function watchConfig({ pollMs = 5_000, settleMs = 100, ...options }: WatchOptions): ConfigWatch {
  const { logger, onChange } = options;
  let { paths } = options;
  let inUse = options.config;
  let last: Outcome = inUse;
  let candidate: Outcome | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  /** "again": something was told of the files while they were being read. */
  let state: "idle" | "soon" | "reading" | "again" = "idle";

  function onEvent(): void {
    if (state === "idle") lookIn(settleMs);
    else if (state === "reading") state = "again";
  }

  function lookIn(delayMs: number): void {
    clearTimeout(timer);
    state = delayMs === settleMs ? "soon" : "idle";
    if (!isClosed) timer = setTimeout(() => void look(), delayMs);
  }

  async function look(): Promise<void> {
    state = "reading";
    const outcome = await load(paths);
    if (isClosed) return;
    if (isDeepStrictEqual(outcome, last)) candidate = undefined;
    // A file that is being written may be readable, and half of what it is going to be.
    else if (!isDeepStrictEqual(outcome, candidate)) candidate = outcome;
    else {
      candidate = undefined;
      take(outcome);
    }
    lookIn(candidate === undefined && state === "reading" ? pollMs : settleMs);
  }

  function take(outcome: Outcome): void {
    const before = last;
    last = outcome;
    if ("problems" in outcome) {
      logger.error("the new configuration cannot be used: the one before stays in use", { problems: outcome.problems });
      return;
    }
    for (const warning of outcome.warnings) {
      if ("problems" in before || !before.warnings.includes(warning)) logger.warn(warning);
    }
    // Credentials that vanish are not a wish to go on without.
    if (outcome.hasSecret) paths = { ...paths, secretOptional: false };
    if (isDeepStrictEqual(outcome.targets, inUse.targets)) {
      logger.info("the configuration has been written again: it says what is in use");
      return;
    }
    try {
      onChange(outcome.targets);
      inUse = outcome;
      logger.info("the configuration has changed", { targets: outcome.targets.map(({ name }) => name) });
    } catch (error) {
      logger.error("the new configuration could not be put to use", { error });
    }
  }

  if (inUse.hasSecret) paths = { ...paths, secretOptional: false };
  const folders = new Set([dirname(paths.configPath), dirname(paths.secretPath)]);
  const watchers = [...folders].map((folder) => watchFolder(folder, onEvent, logger));
  lookIn(settleMs);
  return {
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      for (const watcher of watchers) watcher?.close();
    },
  };
}

async function load(paths: ConfigPaths): Promise<Outcome> {
  try {
    return await loadConfig(paths);
  } catch (error) {
    return { problems: error instanceof ConfigError ? error.problems : [String(error)] };
  }
}

function watchFolder(folder: string, onEvent: () => void, logger: Logger): FSWatcher | undefined {
  const giveUp = (error: unknown): void => {
    logger.debug("a folder is not watched: its files are read every few seconds", { folder, error });
  };
  try {
    return watch(folder, onEvent).on("error", giveUp);
  } catch (error) {
    giveUp(error);
    return undefined;
  }
}
