import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { JsonValue } from "@org/spdk-rpc";

/** Where an answer was recorded. */
interface Source {
  /** The transcript, such as "26.09" or "24.01-more". */
  readonly transcript: string;
  /** The record's name in it. */
  readonly name: string;
}

/** A result that a target gave. Integers beyond 2^53 are of type `bigint`. */
export interface RecordedSuccess extends Source {
  readonly method: string;
  readonly result: JsonValue;
}

/** An error that a target gave; without a method where the request was none. */
export interface RecordedError extends Source {
  readonly method: string | undefined;
  readonly code: number;
  readonly message: string;
}

interface Reply {
  readonly id: JsonValue;
  readonly result?: JsonValue;
  readonly error?: { readonly code: number; readonly message: string };
}

const FOLDER = join(import.meta.dirname, "../transcripts");

/** A record that tells in words what it asked. */
const ASKED_IN_WORDS: Readonly<Record<string, string>> = { "protocol.connection_limit_64": "spdk_get_version" };

/** Every answer of every transcript, each reply of a batch or a pipeline on its own. */
export function readTranscripts(): { successes: RecordedSuccess[]; errors: RecordedError[] } {
  const successes: RecordedSuccess[] = [];
  const errors: RecordedError[] = [];
  for (const file of readdirSync(FOLDER).sort()) {
    const transcript = file.replace(".jsonl", "");
    for (const line of readFileSync(join(FOLDER, file), "utf8").trim().split("\n")) {
      const { name, request, raw_request, response } = parseLossless(line);
      const asked = typeof raw_request === "string" ? raw_request : JSON.stringify(request, writeBigint);
      for (const [index, reply] of replies(response).entries()) {
        const earlier = replies(response).slice(0, index);
        const method = ASKED_IN_WORDS[name] ?? findMethod(asked, reply, earlier);
        if (reply.error !== undefined) errors.push({ transcript, name, method, ...reply.error });
        if (reply.result === undefined) continue;
        if (method === undefined)
          throw new Error(`${transcript}: ${name}: no request belongs to ${JSON.stringify(reply)}`);
        successes.push({ transcript, name, method, result: reply.result });
      }
    }
  }
  return { successes, errors };
}

function replies(response: unknown): readonly Reply[] {
  const all: readonly unknown[] = Array.isArray(response) ? response : [response];
  return all.filter((reply): reply is Reply => typeof reply === "object" && reply !== null);
}

/** The method of the request that a reply belongs to: of several with one id, they go in order. */
function findMethod(asked: string, reply: Reply, earlier: readonly Reply[]): string | undefined {
  const methods = [...asked.matchAll(/"method"\s*:\s*"(\w+)"/g)].map(([, method]) => method);
  if (new Set(methods).size === 1) return methods[0];
  const place = earlier.filter(({ id }) => id === reply.id).length;
  return [...asked.matchAll(/"id"\s*:\s*("[^"]*"|[^\s,]+)\s*,\s*"method"\s*:\s*"(\w+)"/g)].filter(
    ([, id]) => id === JSON.stringify(reply.id, writeBigint),
  )[place]?.[2];
}

interface Line {
  readonly name: string;
  readonly request: unknown;
  readonly raw_request?: unknown;
  readonly response: unknown;
}

function parseLossless(line: string): Line {
  return JSON.parse(line, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" &&
    Number.isInteger(value) &&
    !Number.isSafeInteger(value) &&
    context?.source !== undefined
      ? BigInt(context.source)
      : value,
  ) as Line;
}

function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
