import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";

import { afterEach, describe, expect, it } from "vitest";

import { linuxHost } from "../host/linux-host.ts";
import { ensureDeviceNode } from "./ensure-device-node.ts";

const ROOT = process.getuid?.() === 0;
if (!ROOT) process.stdout.write("not root: no device nodes are made\n");

const NAME = `node-mounter-test-${process.pid}`;
/** Of loop0, which is there on every Linux that has loop devices. */
const THERE = "7:0";

describe.skipIf(!ROOT || !existsSync("/sys/dev/block/7:0"))("a device node", () => {
  const host = linuxHost();
  afterEach(() => rmSync(`/dev/${NAME}`, { force: true }));
  const make = (major: string, minor: string) => execFileSync("mknod", [`/dev/${NAME}`, "b", major, minor]);

  it("is made where nobody else makes it", async () => {
    expect(await ensureDeviceNode(host, NAME, THERE)).toBe(`/dev/${NAME}`);
    expect((await host.files.lstat(`/dev/${NAME}`))?.deviceNumber).toBe(THERE);
  });

  it("of a device that is no more is made anew", async () => {
    make("259", "1048575");
    expect(await ensureDeviceNode(host, NAME, THERE)).toBe(`/dev/${NAME}`);
  });

  it("of another device that is there is left alone", async () => {
    make("7", "0");
    expect(await ensureDeviceNode(host, NAME, "259:1048575")).toBeUndefined();
    expect((await host.files.lstat(`/dev/${NAME}`))?.deviceNumber).toBe(THERE);
  });
});
