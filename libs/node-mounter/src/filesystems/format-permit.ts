import { HostError } from "../host/host-error.ts";
import type { VolumeRecord } from "../records/volume-records.ts";
import { FilesystemError } from "./filesystem-error.ts";
import type { FormatCall } from "./format-call.ts";
import { notBlank } from "./format-refusals.ts";
import { probeDevice } from "./probe-device.ts";
import { isAllZero } from "./zero-read.ts";

/** Throws FilesystemError unless the device is provably blank: by an unused proof or by reading all of it, and by every probe. */
export async function requireBlank(call: FormatCall, record: VolumeRecord | undefined): Promise<void> {
  const { host, request, options } = call;
  const proof = request.blankProof?.id;
  if (proof === undefined || proof === "" || record?.usedProofs.includes(proof) === true)
    await requireZeroes(call, record);
  // Last, and also after a read that went on over several calls: what was written meanwhile shows here.
  const found = await probeDevice(host, request.device, options);
  if (found.kind !== "none") throw notBlank(request, found.kind === "unclean" ? found.what : found.type);
}

async function requireZeroes(call: FormatCall, record: VolumeRecord | undefined): Promise<void> {
  const { host, records, request, options } = call;
  const { device, volumeId } = request;
  const { mayReadWhole = true, logger, ...limits } = options;
  if (!mayReadWhole) {
    throw new FilesystemError(
      "NO_PROOF",
      `there is no unused proof that volume "${volumeId}" (${device}) is blank, and reading all of it is turned off: publish it again`,
    );
  }
  let read = record?.zeroReadOffset ?? 0n;
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
