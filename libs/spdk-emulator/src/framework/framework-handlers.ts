import type { Handlers } from "../rpc/handler.ts";

/** The application framework. */
export function frameworkHandlers(): Handlers {
  return {
    // An emulated target has started all that it has before it listens.
    framework_wait_init: () => true,
  };
}
