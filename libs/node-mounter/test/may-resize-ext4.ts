import { readFileSync } from "node:fs";

/** CAP_SYS_RESOURCE (capabilities(7)). */
const BIT = 24n;

const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";

/** The kernel resizes a mounted ext4 only for CAP_SYS_RESOURCE, which containers often lack. */
export const MAY_RESIZE_EXT4: boolean = (BigInt(`0x${effective}`) & (1n << BIT)) !== 0n;
