import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";

import { describe, expect, it } from "vitest";

import { driverWith, startPlugin } from "../test/test-plugin.ts";
import { GetPluginInfoResponse } from "./gen/csi.ts";

/** One call as an old gRPC client makes it over HTTP/2: frames by hand, with an authority of its choice. */
async function getPluginInfo(socketPath: string, authorities: readonly string[]): Promise<string[]> {
  const session = connect("http://localhost", { createConnection: () => connectSocket(socketPath) });
  try {
    const names: string[] = [];
    for (const authority of authorities) {
      const stream = session.request({
        ":method": "POST",
        ":scheme": "http",
        ":path": "/csi.v1.Identity/GetPluginInfo",
        ":authority": authority,
        "content-type": "application/grpc",
        te: "trailers",
      });
      // An empty message, uncompressed.
      stream.end(Buffer.alloc(5));
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      names.push(GetPluginInfoResponse.decode(Buffer.concat(chunks).subarray(5)).name);
    }
    return names;
  } finally {
    session.close();
  }
}

describe("the authority that a client sends", () => {
  it.each([
    ["a newer kubelet", "localhost"],
    ["an older kubelet: the socket's path", "/var/lib/kubelet/plugins/csi.spdk.io/csi.sock"],
    ["an older sidecar", "unix:/csi/csi.sock"],
    ["a kubelet with another root", "/data/Kubelet-2.X_y~/plugins/csi.spdk.io/csi.sock"],
  ])("may be that of %s", async (_who, authority) => {
    await using plugin = await startPlugin(driverWith({}));
    // The second comes out of HPACK's table.
    await expect(getPluginInfo(plugin.socketPath, [authority, authority])).resolves.toEqual([
      "test.csi.example.org",
      "test.csi.example.org",
    ]);
  });
});
