import { SpdkConnectionError, SpdkProtocolError, SpdkTimeoutError } from "@org/spdk-rpc";

import { DriverError } from "../driver-error.ts";

/** Whether an error says that a target cannot be asked, rather than what its answer was. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DriverError) return error.code === "TARGET_UNAVAILABLE";
  return (
    error instanceof SpdkConnectionError || error instanceof SpdkTimeoutError || error instanceof SpdkProtocolError
  );
}
