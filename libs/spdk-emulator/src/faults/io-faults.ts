import { setTimeout } from "node:timers/promises";

import type { Bdev } from "../bdev/bdev.ts";
import type { BdevIo, IoClient } from "../block/bdev-io.ts";
import { IoError } from "../block/io-error.ts";
import type { IoFault } from "./fault.ts";
import type { ArmedFault, Faults } from "./faults.ts";

/** The fault that happens to an I/O. */
export function nextIoFault(faults: Faults, bdev: Bdev, io: BdevIo): ArmedFault<IoFault> | undefined {
  return faults.nextIo((fault) => names(fault, bdev) && concerns(fault, io));
}

/** Makes a fault happen to an I/O. Whether the I/O goes on; an error rejects as {@link IoError}. */
export async function strikeIo(faults: Faults, { id, fault }: ArmedFault<IoFault>, client: IoClient): Promise<boolean> {
  switch (fault.effect) {
    case "error":
      throw new IoError("Injected fault", fault.status);
    case "delay":
      await setTimeout(fault.delayMs ?? 0, undefined, { ref: false });
      return true;
    case "freeze":
      await faults.untilRemoved(id);
      return true;
    case "close":
      client.close();
      return false;
    case "hang":
      faults.hang();
      await new Promise<void>((resolve) => faults.afterHang(resolve));
      return true;
    case "crash":
      faults.crash();
      return false;
    default:
      // It is dropped.
      return false;
  }
}

function names({ bdev: name }: IoFault, bdev: Bdev): boolean {
  return name === "*" || name === bdev.name || name === bdev.uuid || bdev.aliases().includes(name);
}

function concerns({ io: kind, offset = 0, length = Number.POSITIVE_INFINITY }: IoFault, io: BdevIo): boolean {
  if (kind !== undefined && kind !== io.kind) return false;
  return (
    io.kind === "flush" ||
    io.ranges.some((range) => range.offset < offset + length && range.offset + range.length > offset)
  );
}
