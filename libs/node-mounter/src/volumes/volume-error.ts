import { NodeMounterError } from "../host/node-mounter-error.ts";

/** Why a volume cannot be put where it is asked for. */
export const VOLUME_ERROR_CODES = [
  /** The volume was not staged on this node, or is not at the path that the caller says. */
  "NOT_FOUND",
  /** The volume was staged on this node, and is not as it was left. */
  "NOT_STAGED",
  /** The volume is staged in another way than the one asked for. */
  "STAGED_OTHERWISE",
  /** A volume for one pod is published to another one already. */
  "PUBLISHED_ELSEWHERE",
  /** The device has not the size that is required. */
  "TOO_SMALL",
  /** The volume is encrypted, and its key was not given. */
  "MISSING_KEY",
] as const;

/** One of {@link VOLUME_ERROR_CODES}. */
export type VolumeErrorCode = (typeof VOLUME_ERROR_CODES)[number];

/** A volume that cannot be put where it is asked for; the message says which, why and what to do. */
export class VolumeError extends NodeMounterError<VolumeErrorCode> {
  override readonly name = "VolumeError";
}
