import { expect, it } from "vitest";

import { FakeHost } from "../testing/fake-host.ts";
import { loopConnector } from "./loop-connector.ts";

it("a device that somebody left read-only is made writable when it gets another file, and not when it has it", async () => {
  const host = new FakeHost();
  host.addFile("/disk", "", 4096n);
  host.addFile("/sys/block/loop0/ro", "1\n");
  const connector = loopConnector(host, { file: () => "/disk" });
  for (let call = 1; call <= 2; call += 1) {
    expect(await connector.attach({})).toEqual({ device: "/dev/loop0" });
    expect(host.runsOf("blockdev")).toEqual([["--setrw", "/dev/loop0"]]);
  }
});
