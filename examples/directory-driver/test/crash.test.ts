import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { CsiClient, VolumeCapability_AccessMode_Mode as Mode } from "@org/csi-framework";
import { afterEach, beforeEach, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "..", "src", "main.ts");
const FILES = 1000;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "directory-crash-"));
});
afterEach(() => rm(dir, { recursive: true }));

/** The driver as a process of its own. */
async function start() {
  const endpoint = `unix://${join(dir, "csi.sock")}`;
  const env = { ...process.env, CSI_ENDPOINT: endpoint, CSI_ROOT: join(dir, "root") };
  const child = spawn(process.execPath, ["--conditions=@org/source", MAIN], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  // The socket's file is there a moment before it is listened on.
  while (!(await isListening(join(dir, "csi.sock")))) {
    if (child.exitCode !== null) throw new Error(`the driver does not serve:\n${log}`);
    await sleep(20);
  }
  const csi = new CsiClient(endpoint);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    csi.close();
    child.kill(signal);
    await exited;
  };
  return { csi, end };
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    }).on("error", () => resolve(false));
  });
}

const named = (name: string) => ({
  name,
  volumeCapabilities: [
    { accessType: { $case: "mount", value: {} } as const, accessMode: { mode: Mode.SINGLE_NODE_WRITER } },
  ],
});

it.each([5, 15, 30, 60])("a driver killed %i ms into a clone makes it whole when asked again", async (delayMs) => {
  const first = await start();
  const { volume } = await first.csi.controller.createVolume(named("source"));
  const source = volume?.volumeId ?? "";
  const volumes = join(dir, "root", "volumes");
  const deep = join(volumes, source, "data", "deep");
  await mkdir(deep);
  for (let index = 0; index < FILES; index++) await writeFile(join(deep, `${index}`), `content ${index}`);
  const type = { $case: "volume", value: { volumeId: source } } as const;
  const clone = { ...named("clone"), volumeContentSource: { type } };
  const outcome = first.csi.controller.createVolume(clone).catch((error: unknown) => error);
  await sleep(delayMs);
  await first.end("SIGKILL");
  await outcome;
  await rm(join(dir, "csi.sock"), { force: true });

  const { csi, end } = await start();
  for (const { volume: listed } of (await csi.controller.listVolumes({})).entries)
    expect(await readdir(join(volumes, listed?.volumeId ?? "", "data", "deep"))).toHaveLength(FILES);
  const { volume: made } = await csi.controller.createVolume(clone);
  const copied = join(volumes, made?.volumeId ?? "", "data", "deep");
  expect(await readdir(copied)).toHaveLength(FILES);
  expect(await readFile(join(copied, `${FILES - 1}`), "utf8")).toBe(`content ${FILES - 1}`);
  expect(new Set(await readdir(volumes))).toEqual(new Set([source, made?.volumeId]));
  await end("SIGTERM");
  expect(existsSync(join(dir, "csi.sock"))).toBe(false);
});
