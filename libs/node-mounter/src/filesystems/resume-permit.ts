import type { VolumeRecord } from "../records/volume-records.ts";
import type { BlankRequest } from "./format-call.ts";

/** What is recorded with a format that begins, so that it may be repeated if it is interrupted. */
export function resumePermit({ blankProof }: BlankRequest): NonNullable<VolumeRecord["resume"]> {
  return { attached: true, ...(blankProof !== undefined && { proof: blankProof.id }) };
}

/**
 * Whether nobody else can have written to the volume since its format was interrupted here: it has stayed attached, or the
 * storage sends the proof of the same publish, which no other node has had since.
 */
export function mayResume({ blankProof }: BlankRequest, { resume }: VolumeRecord): boolean {
  return resume?.attached === true || (resume?.proof !== undefined && resume.proof === blankProof?.id);
}
