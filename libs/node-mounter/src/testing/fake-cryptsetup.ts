import type { RunResult } from "../host/host.ts";
import { FAKE_LUKS_DATA_BYTES, type FakeContent, type FakeDevice, type FakeLuks } from "./fake-device.ts";
import type { FakeMachine } from "./fake-machine.ts";

/** cryptsetup(8): luksFormat, luksDump, open, resize and close of LUKS2 with one key. */
export function runFakeCryptsetup(machine: FakeMachine, args: readonly string[], input: string): RunResult {
  const [action = "", ...rest] = args;
  const device = rest.map((arg) => machine.devices.get(arg)).find((found) => found !== undefined);
  const name = rest.at(-1) ?? "";
  if (action === "luksFormat") return device === undefined ? fail(4) : format(device, rest, input);
  if (action === "luksDump") return device === undefined ? fail(4) : dump(device);
  if (action === "open") return device === undefined ? fail(4) : open(machine, device, name, input);
  const mapping = machine.mappings.get(name);
  if (mapping === undefined) return fail(4, `Device ${name} is not active.`);
  if (action === "resize") {
    mapping.mapped.sizeBytes = mapping.under.sizeBytes - FAKE_LUKS_DATA_BYTES;
    return done("");
  }
  if (machine.mounts.some(({ deviceNumber }) => deviceNumber === mapping.mapped.deviceNumber)) return fail(5, "busy");
  close(machine, name);
  return done("");
}

/** What a reboot does with open containers. */
export function closeFakeMappings(machine: FakeMachine): void {
  for (const name of machine.mappings.keys()) close(machine, name);
}

function close(machine: FakeMachine, name: string): void {
  const path = machine.mappings.get(name)?.mapped.path;
  machine.mappings.delete(name);
  machine.delete(`/dev/mapper/${name}`);
  if (path !== undefined) machine.removeDevice(path);
}

function format(device: FakeDevice, args: readonly string[], key: string): RunResult {
  if (device.broken) return fail(4, "Input/output error");
  const uuid = args[args.indexOf("--uuid") + 1] ?? "";
  device.content = { kind: "luks", uuid, key, inside: { kind: "blank" } };
  return done("");
}

function dump({ content }: FakeDevice): RunResult {
  if (content.kind !== "luks") return fail(1, "not a valid LUKS device");
  const keyslots = content.key === undefined ? {} : { "0": {} };
  return done(JSON.stringify({ keyslots, segments: { "0": { offset: String(FAKE_LUKS_DATA_BYTES) } } }));
}

function open(machine: FakeMachine, under: FakeDevice, name: string, key: string): RunResult {
  const { content } = under;
  if (content.kind !== "luks" || under.broken) return fail(1, "not a valid LUKS device");
  if (machine.mappings.has(name)) return fail(5, "already exists");
  if (key !== content.key) return fail(2, "No key available with this passphrase.");
  const mapped = machine.addDevice(`/dev/dm-${machine.mappings.size}`, under.sizeBytes - FAKE_LUKS_DATA_BYTES);
  const luks = (): FakeLuks => (under.content.kind === "luks" ? under.content : content);
  Object.defineProperties(mapped, {
    content: {
      get: () => luks().inside,
      set(inside: FakeContent) {
        under.content = { ...luks(), inside };
      },
    },
    broken: { get: () => under.broken },
  });
  machine.mappings.set(name, { mapped, under, uuid: `CRYPT-LUKS2-${content.uuid.replaceAll("-", "")}-${name}` });
  machine.set(`/dev/mapper/${name}`, { kind: "symlink", to: mapped.path });
  return done("");
}

function done(stdout: string): RunResult {
  return { exitCode: 0, stdout, stderr: "" };
}

function fail(exitCode: number, stderr = "no such device"): RunResult {
  return { exitCode, stdout: "", stderr };
}
