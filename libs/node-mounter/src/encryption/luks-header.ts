import { FilesystemError } from "../filesystems/filesystem-error.ts";
import type { CallOptions } from "../host/call-options.ts";
import type { Host } from "../host/host.ts";
import { runCryptsetup } from "./run-cryptsetup.ts";

/** What the header of a LUKS2 container says. */
export interface LuksHeader {
  /** Where its data begin on the device. */
  readonly startBytes: bigint;
  /** 0: luksFormat has not got as far as the first key, so that nothing can have been written into it. */
  readonly keys: number;
}

/** Reads a LUKS2 header. Throws FilesystemError `ENCRYPTION_FAILED`. Default deadline 60 s. */
export async function readLuksHeader(host: Host, device: string, options: CallOptions): Promise<LuksHeader> {
  const { timeoutMs = 60_000, signal } = options;
  const args = ["luksDump", "--dump-json-metadata", device];
  const { stdout } = await runCryptsetup(host, args, { timeoutMs, signal });
  try {
    const { keyslots, segments } = JSON.parse(stdout) as {
      keyslots: Readonly<Record<string, unknown>>;
      segments: Readonly<Record<string, { readonly offset: string }>>;
    };
    const [segment, ...others] = Object.values(segments);
    if (segment === undefined || others.length > 0) throw new SyntaxError(`${others.length + 1} segments`);
    return { startBytes: BigInt(segment.offset), keys: Object.keys(keyslots).length };
  } catch (cause) {
    throw new FilesystemError(
      "ENCRYPTION_FAILED",
      `the LUKS header of ${device} has a form that is not known: it is being encrypted anew, or by a later cryptsetup`,
      { cause },
    );
  }
}
