import { requestLimits, servesBatches } from "../versions/request-limits.ts";
import type { KnownVersion } from "./known-version.ts";
import type { PendingCall } from "./pending-call.ts";
import type { Queue } from "./queue.ts";
import type { EncodedRequest } from "./request.ts";
import type { Submission } from "./transport.ts";

/** After so many characters the rest waits for the next write: what is not written can still be taken back. */
const MAX_WRITE = 64 * 1024;

/** What goes out in one write. */
export interface ComposedWrite {
  readonly text: string;
  readonly calls: readonly PendingCall[];
  /** Whether the first submission left cannot be written before the target's version is known. */
  readonly needsVersion: boolean;
}

/** Takes as many submissions off the queue as one write may hold. A call that cannot be encoded ends with its error. */
export function composeWrite(queue: Queue<Submission>, target: KnownVersion): ComposedWrite {
  const calls: PendingCall[] = [];
  let text = "";
  while (text.length < MAX_WRITE) {
    const submission = queue.peek()?.filter((call) => call.isWaiting);
    if (submission === undefined) break;
    const needsVersion = submission.length > 1 || submission.some((call) => call.needsRelease);
    if (needsVersion && !target.isSettled) return { text, calls, needsVersion };
    queue.shift();
    const encoded = encodeSubmission(submission, target);
    text += encoded.text;
    calls.push(...encoded.calls);
  }
  return { text, calls, needsVersion: false };
}

/** The text of one submission: a batch where the target serves batches, else its requests one behind the other. */
export function encodeSubmission(
  submission: Submission,
  { release }: KnownVersion,
): { readonly text: string; readonly calls: readonly PendingCall[] } {
  const calls: PendingCall[] = [];
  const requests: EncodedRequest[] = [];
  for (const call of submission) {
    try {
      requests.push(call.encode(release));
      calls.push(call);
    } catch (error) {
      call.fail(error);
    }
  }
  const text =
    requests.length > 1 && servesBatches(release)
      ? splitIntoBatches(requests, release)
      : requests.map((request) => request.text).join("");
  return { text, calls };
}

/** Arrays that each keep within what a target takes in one request. */
function splitIntoBatches(requests: readonly EncodedRequest[], release: number | undefined): string {
  const limits = requestLimits(release);
  const batches: string[][] = [];
  let bytes = Infinity;
  let values = Infinity;
  for (const request of requests) {
    bytes += request.text.length + 1;
    values += request.values;
    if (bytes + 2 > limits.bytes || values + 2 > limits.values) {
      batches.push([]);
      bytes = request.text.length + 1;
      values = request.values;
    }
    batches.at(-1)?.push(request.text);
  }
  return batches.map((batch) => (batch.length === 1 ? batch.join("") : `[${batch.join(",")}]`)).join("");
}
