import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const TRANSCRIPTS = join(import.meta.dirname, "../../../../tools/recordings/transcripts");

/** A reply as it came. */
export interface Reply {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** What a real target was asked, and what it answered. */
export interface Recorded {
  readonly name: string;
  readonly form?: string;
  readonly request: { readonly method?: string; readonly params?: Readonly<Record<string, unknown>> } | null;
  readonly response: Reply | readonly Reply[] | string | null;
  readonly raw_request?: string;
  readonly raw_response?: string;
  readonly connection_closed?: boolean;
  /** The request as it stands in the transcript: numbers are as they were written. */
  readonly requestText: string;
}

/** The records of a transcript, in their order. */
export function readRecording(name: string): readonly Recorded[] {
  const path = join(TRANSCRIPTS, `${name}.jsonl`);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line): Recorded => ({ ...JSON.parse(line), requestText: requestText(line) }));
}

/** The method and the parameters of a record that is one call. */
export function callOf({ request, response, form }: Recorded): { method: string; response: Reply } | undefined {
  if (form === "skipped" || form === "note" || typeof request?.method !== "string") return undefined;
  if (typeof response !== "object" || response === null || !isReply(response)) return undefined;
  return { method: request.method, response };
}

function isReply(response: Reply | readonly Reply[]): response is Reply {
  return !Array.isArray(response);
}

/** Cuts the value of "request" out of a line. */
function requestText(line: string): string {
  const start = line.indexOf('"request":') + '"request":'.length;
  let depth = 0;
  let inString = false;
  for (let at = start; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (inString && character === "\\") at += 1;
    else if (character === '"') inString = !inString;
    else if (!inString && "{[".includes(character)) depth += 1;
    else if (!inString && "}]".includes(character)) depth -= 1;
    if (depth === 0 && !inString && "}],".includes(character)) return line.slice(start, at + 1);
  }
  return "null";
}
