import { connect } from "node:net";

import { normalize } from "./compare.ts";
import { ELIDED } from "./protocol-replay.ts";
import type { Recorded } from "./recording.ts";
import type { Summary } from "./summary.ts";
import { until } from "./wire.ts";

const PATIENCE_MS = 2_000;
/** What the emulator does otherwise: it serves clients side by side. */
const ONE_AT_A_TIME = "http_proxy.blocked_by_idle_connection";

/** Sends recorded requests of SPDK's HTTP proxy, byte for byte, and notes how the answers compare. */
export async function replayHttp(port: number, records: readonly Recorded[], summary: Summary): Promise<void> {
  for (const { name, raw_request: bytes, raw_response: wanted = "" } of records) {
    if (bytes === undefined || ELIDED.test(bytes) || name === ONE_AT_A_TIME) continue;
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    let received = "";
    let closed = false;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      received += text;
    });
    socket.on("error", () => undefined);
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      closed = true;
    });
    // The recorder kept one character a byte.
    socket.write(bytes, "latin1");
    await until(() => closed, PATIENCE_MS);
    socket.destroy();
    const [real, own] = [wanted, received].map((text) => normalize(text).replace(/Date: [^\r]*/, "Date: NOW"));
    const differs =
      real === own
        ? undefined
        : `real ${JSON.stringify(real).slice(0, 300)} | here ${JSON.stringify(own).slice(0, 300)}`;
    summary.add(name, differs ?? (closed ? undefined : "real closed, here open"));
  }
}
