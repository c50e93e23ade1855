import { status } from "@grpc/grpc-js";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { CsiClient } from "../src/csi-client.ts";
import { CSI_ERROR_CODES, CsiError } from "../src/csi-error.ts";
import { openGrpcChannel } from "../src/grpc-channel.ts";
import { call } from "../src/testing/conformance/raw-call.ts";
import { inProcess } from "../src/testing/index.ts";
import { behavingDriver, catchUnhandled, recordLines } from "./fuzz/fuzzed-plugin.ts";
import { type FuzzedCall, fuzzedCalls, SECRET } from "./fuzz/hostile-requests.ts";
import { BEHAVIOURS, type Behaviour, TALKATIVE } from "./fuzz/odd-behaviours.ts";
import { damage, encode, sendBytes } from "./fuzz/raw-calls.ts";
import { everything, startPlugin } from "./test-plugin.ts";

/** 500 in `npm test`; the nightly run sets more. */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 500);
const TIMEOUT = 20_000 + RUNS * 100;

/** A call that takes so long has hung, unless its driver never settles. */
const PATIENCE_MS = 5_000;
const NEVER = "never settles";
const NEVER_MS = 40;

const features = { cloneVolume: true, publishReadonly: true, volumeMountGroup: true };

/** The status that a call ends with; what is no status fails the test. */
async function statusOf(client: CsiClient, { rpc, request }: FuzzedCall, timeoutMs: number): Promise<string> {
  try {
    await call(client, rpc, request, { timeoutMs });
    return "OK";
  } catch (error) {
    if (!(error instanceof CsiError)) throw error;
    expect(CSI_ERROR_CODES).toContain(error.code);
    return error.code;
  }
}

const behaving = fc.constantFrom(...Object.keys(BEHAVIOURS));

/** How long a driver that behaves so is waited for. */
const patienceFor = (name: string): number => (name === NEVER ? NEVER_MS : PATIENCE_MS);

describe("any request, fuzzed", () => {
  it("is answered or found invalid, and no secret of it is logged", { timeout: TIMEOUT }, async () => {
    using unhandled = catchUnhandled();
    const lines = recordLines();
    const { client, settled } = inProcess(Object.assign(everything(), { features }), { logger: lines.logger });
    await fc.assert(
      fc.asyncProperty(fuzzedCalls, async (fuzzed) => {
        expect(["OK", "INVALID_ARGUMENT"]).toContain(await statusOf(client, fuzzed, PATIENCE_MS));
        expect(lines.take()).not.toContain(SECRET);
      }),
      { numRuns: RUNS },
    );
    await settled();
    expect(unhandled.errors).toEqual([]);
  });

  it("ends with a status, whatever the driver does, and no secret of it is logged", { timeout: TIMEOUT }, async () => {
    using unhandled = catchUnhandled();
    const lines = recordLines();
    await fc.assert(
      fc.asyncProperty(fuzzedCalls, behaving, async (fuzzed, name) => {
        const driver = behavingDriver(() => BEHAVIOURS[name] as Behaviour);
        const { client } = inProcess(driver, { logger: lines.logger });
        const code = await statusOf(client, fuzzed, patienceFor(name));
        if (name !== NEVER) expect(code).not.toBe("DEADLINE_EXCEEDED");
        expect(lines.take()).not.toContain(SECRET);
      }),
      { numRuns: RUNS },
    );
    expect(unhandled.errors).toEqual([]);
  });
});

describe("any bytes on a socket, fuzzed", () => {
  it("end with a status of gRPC, and the server serves on", { timeout: TIMEOUT }, async () => {
    using unhandled = catchUnhandled();
    const lines = recordLines();
    await using plugin = await startPlugin(Object.assign(everything(), { features }), { logger: lines.logger });
    await fc.assert(
      fc.asyncProperty(fuzzedCalls, damage, async ({ rpc, request }, damaged) => {
        const bytes = encode(rpc, request);
        const sent = damaged(bytes);
        const code = await sendBytes(plugin.client, rpc, sent, PATIENCE_MS);
        expect(Object.values(status)).toContain(code);
        expect(code).not.toBe(status.DEADLINE_EXCEEDED);
        await plugin.call("probe");
        // Damage may turn a secret into the value of another field, of which nobody knows then.
        if (sent.equals(bytes)) expect(lines.take()).not.toContain(SECRET);
        else lines.take();
      }),
      { numRuns: RUNS },
    );
    expect(unhandled.errors).toEqual([]);
  });

  it("end with a status of gRPC, whatever the driver does", { timeout: TIMEOUT }, async () => {
    using unhandled = catchUnhandled();
    const lines = recordLines();
    let current = NEVER;
    const driver = behavingDriver(() => BEHAVIOURS[current] as Behaviour);
    await using plugin = await startPlugin(driver, { logger: lines.logger, drainTimeoutMs: 100 });
    using client = new CsiClient(openGrpcChannel(plugin.server.endpoint));
    await fc.assert(
      fc.asyncProperty(fuzzedCalls, behaving, async (fuzzed, name) => {
        current = name;
        const code = await statusOf(client, fuzzed, patienceFor(name));
        if (name !== NEVER) expect(code).not.toBe("DEADLINE_EXCEEDED");
        expect(lines.take()).not.toContain(SECRET);
      }),
      { numRuns: RUNS },
    );
    expect(unhandled.errors).toEqual([]);
  });
});

describe("bytes made to do harm", () => {
  const harmful: readonly (readonly [string, Buffer])[] = [
    ["a million groups, one in the other", Buffer.alloc(1_000_000, 0x0b)],
    ["a million ends of groups", Buffer.alloc(1_000_000, 0x0c)],
    ["a field that is longer than the message", Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x41])],
    ["a varint without end", Buffer.alloc(1_000, 0xff)],
    ["a field of number 0", Buffer.from([0x02, 0x00])],
    ["a text that is not UTF-8", Buffer.from([0x0a, 0x03, 0xff, 0xfe, 0xfd])],
    ["a million empty messages", Buffer.alloc(1_000_000, Buffer.from([0x1a, 0x00]))],
    ["more than a server takes", Buffer.alloc(5_000_000, 0x00)],
  ];

  it.each(harmful)("end with a status, and the server serves on: %s", async (_, bytes) => {
    using unhandled = catchUnhandled();
    await using plugin = await startPlugin(everything());
    const code = await sendBytes(plugin.client, "createVolume", bytes, PATIENCE_MS);
    expect(Object.values(status)).toContain(code);
    expect([status.OK, status.DEADLINE_EXCEEDED]).not.toContain(code);
    await plugin.call("probe");
    expect(unhandled.errors).toEqual([]);
  });
});

describe("what a driver throws", () => {
  const deletion: FuzzedCall = { rpc: "deleteVolume", request: { volumeId: "v", secrets: { key: SECRET } } };
  const logOf = async (behaviour: Behaviour): Promise<string> => {
    const lines = recordLines();
    await statusOf(
      inProcess(
        behavingDriver(() => behaviour),
        { logger: lines.logger },
      ).client,
      deletion,
      PATIENCE_MS,
    );
    return lines.take();
  };
  const thrown = Object.keys(BEHAVIOURS).filter((name) => name.startsWith("throws "));

  it.each(thrown)("is logged when a driver %s", async (name) => {
    expect(await logOf(BEHAVIOURS[name] as Behaviour)).toContain('"message":"failed"');
  });

  it.each(Object.entries(TALKATIVE))("is logged without the request's secrets when a driver %s", async (_, talk) => {
    const log = await logOf(talk);
    expect(log).not.toContain(SECRET);
    expect(log).toContain("***stripped***");
  });
});
