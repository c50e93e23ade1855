import { HostError } from "../host/host-error.ts";
import type { VolumeRecord } from "../records/volume-records.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { BlankRequest, FormatCall } from "./format-call.ts";
import { notBlank } from "./format-refusals.ts";
import { describe, probeSignatures } from "./probe-device.ts";
import { type DeviceArea, findResidue } from "./residue.ts";
import { isAllZero } from "./zero-read.ts";

/**
 * Throws FilesystemError unless a device on which a probe has just found no signature is provably blank: by an unused
 * proof, by the record of a container that this node has just made, or by reading all of it; and in any case by its head,
 * its tail and the places of backup superblocks.
 */
export async function requireBlank(call: FormatCall<BlankRequest>, record: VolumeRecord | undefined): Promise<void> {
  const { host, request, options } = call;
  const area: DeviceArea = request.ciphertext ?? { device: request.device, startBytes: 0n };
  if (!isProven(request, record)) {
    await requireZeroes(call, area, record);
    // Reading took its time, over several calls maybe: what was written meanwhile shows here.
    const found = await probeSignatures(host, request.device, options);
    if (found.kind !== "none") throw notBlank(request, describe(found));
  }
  const residue = await findResidue(host, area, options);
  if (residue !== undefined) throw notBlank(request, residue);
}

function isProven({ blankProof, ciphertext }: BlankRequest, record: VolumeRecord | undefined): boolean {
  const { usedProofs = [], encryption } = record ?? {};
  // The proof speaks of the device below, where there is a container now.
  if (ciphertext !== undefined) return encryption?.inside === "blank" && encryption.uuid === ciphertext.uuid;
  return blankProof !== undefined && blankProof.id !== "" && !usedProofs.includes(blankProof.id);
}

async function requireZeroes(
  call: FormatCall<BlankRequest>,
  { device, startBytes }: DeviceArea,
  record: VolumeRecord | undefined,
): Promise<void> {
  const { host, records, request, options } = call;
  const { volumeId } = request;
  const { mayReadWhole = true, logger, ...limits } = options;
  if (!mayReadWhole) {
    throw new FilesystemError(
      "NO_PROOF",
      `there is no unused proof that volume "${volumeId}" (${device}) is blank, and reading all of it is turned off: publish it again`,
    );
  }
  const known = record?.zeroReadOffset ?? 0n;
  let read = known > startBytes ? known : startBytes;
  const onProgress = async (offsetBytes: bigint): Promise<void> => {
    read = offsetBytes;
    await records.update(volumeId, { zeroReadOffset: offsetBytes });
  };
  logger?.info("no proof of blankness: reading the whole device", { volumeId, device, fromBytes: read });
  try {
    if (await isAllZero(host, device, { ...limits, fromBytes: read, onProgress })) return;
  } catch (cause) {
    if (!(cause instanceof HostError) || (cause.code !== "ABORTED" && cause.code !== "TIMEOUT")) throw cause;
    throw new FilesystemError(
      "STILL_READING",
      `volume "${volumeId}" (${device}) is being read to see that it is blank, ${read} bytes so far: repeat the call, it goes on from there`,
      { cause },
    );
  }
  throw notBlank(request, "data without a known signature");
}
