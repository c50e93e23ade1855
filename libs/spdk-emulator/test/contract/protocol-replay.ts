import { normalize } from "./compare.ts";
import type { Recorded } from "./recording.ts";
import type { Summary } from "./summary.ts";
import { withOwnAddresses } from "./translation.ts";
import { until, Wire } from "./wire.ts";

const HALF_CLOSES = /half_close|close_write/;
export const ELIDED: RegExp = /\.\.\.\[\d+(?: bytes)?\]/;
/** Longer than the slowest recorded reply takes. */
const PATIENCE_MS = 2_000;
const QUIET_MS = 60;

/** What the recorded target was given before, unrecorded. */
const SETUP = [
  '{"id":1,"method":"bdev_malloc_create","params":{"name":"plvsbase","num_blocks":2097152,"block_size":512}}',
  '{"id":1,"method":"bdev_lvol_create_lvstore","params":{"bdev_name":"plvsbase","lvs_name":"plvs","cluster_sz":4194304}}',
  '{"id":1,"method":"nvmf_create_transport","params":{"trtype":"TCP"}}',
  '{"id":1,"method":"nvmf_create_subsystem","params":{"nqn":"nqn.2026-07.io.test:r2","serial_number":"R"}}',
];

/** Sends recorded bytes, each record on a connection of its own, and notes how what comes back compares. */
export async function replayProtocol(path: string, records: readonly Recorded[], summary: Summary): Promise<void> {
  const setup = new Wire(path);
  for (const text of SETUP) await setup.call(text);
  setup.socket.destroy();
  for (const record of records) {
    const { name, form, raw_request: bytes, raw_response: wanted = "", connection_closed: closed } = record;
    if (bytes === undefined || ELIDED.test(bytes) || ELIDED.test(wanted) || form === "skipped" || form === "note")
      continue;
    const wire = new Wire(path);
    wire.socket.write(withOwnAddresses(bytes));
    if (HALF_CLOSES.test(name)) wire.socket.end();
    const expected = normalize(wanted);
    await until(
      () => wire.closed || (expected !== "" && normalize(wire.received).length >= expected.length),
      PATIENCE_MS * Number(expected !== ""),
    );
    await wire.quiet(QUIET_MS);
    const actual = normalize(wire.received);
    const differs =
      actual === expected
        ? undefined
        : `real ${JSON.stringify(expected).slice(0, 300)} | here ${JSON.stringify(actual).slice(0, 300)}`;
    const closes =
      closed === undefined || closed === wire.closed
        ? undefined
        : `real ${closed ? "closed" : "open"}, here ${wire.closed ? "closed" : "open"}`;
    summary.add(form === "own" ? `${name} (own form)` : name, differs ?? closes);
    wire.socket.destroy();
  }
}
