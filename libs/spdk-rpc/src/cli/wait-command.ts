import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { connect } from "../client.ts";
import { SpdkUnsupportedError } from "../errors.ts";
import { type CommandIo, EXIT } from "./command.ts";
import { connectOptions, DEFAULT_URI, toTimeoutMs, toUri } from "./target-options.ts";

/** `spdk-rpc wait`: waits until the target answers and has started its subsystems. */
export async function runWait(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      socket: { type: "string", short: "s", default: DEFAULT_URI },
      timeout: { type: "string", short: "t", default: "30" },
    },
  });
  const target = { uri: toUri(values.socket), timeoutMs: toTimeoutMs(values.timeout) };
  const deadline = Date.now() + target.timeoutMs;
  await using client = connect(target.uri, {
    ...(await connectOptions(target, io, readFile)),
    reconnect: { attempts: Infinity, maxDelayMs: 500 },
  });
  const { version } = await client.version({ signal: io.signal });
  try {
    await client.call("framework_wait_init", undefined, { signal: io.signal, timeoutMs: deadline - Date.now() });
  } catch (error) {
    // A target that does not allow the question is asked nothing more.
    if (!(error instanceof SpdkUnsupportedError)) throw error;
  }
  io.out(`${version}\n`);
  return EXIT.done;
}
