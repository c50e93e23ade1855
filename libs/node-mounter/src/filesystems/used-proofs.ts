import type { BlankRequest } from "./format-call.ts";

/** The proofs that have served, once that of a request has too. */
export function withProof(usedProofs: readonly string[], proof: BlankRequest["blankProof"]): readonly string[] {
  return proof === undefined || usedProofs.includes(proof.id) ? usedProofs : [...usedProofs, proof.id];
}
