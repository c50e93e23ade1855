import { describe, expect, it } from "vitest";

import { DriverError } from "../driver-error.ts";
import { parseConnection } from "./connection.ts";

const UUID = "6211b48b-bd77-4bc8-ad3f-de3728351d09";
const OTHER = "0e6ad2c2-1f30-4a3c-a5b3-5f2f2d0c1a77";
const NQN = `nqn.2020-04.io.spdk.csi:uuid:${UUID}`;
const HOST = { hostNqn: "nqn.2020-04.io.spdk.csi:node:default:n", hostId: "5a2f8bd0-8f0c-5f4e-9a0e-2f9a70d6c111" };

/** What ControllerPublishVolume tells. */
const PUBLISHED = { targetType: "nvme-tcp", targetAddr: "10.0.0.1", targetPort: "4421", nqn: NQN, model: UUID };
/** What upstream writes into a volume's context, and what its static volumes have. */
const UPSTREAM = { targetType: "TCP", targetAddr: "10.0.0.2", targetPort: "4420", nqn: NQN, model: UUID };

type Context = Readonly<Record<string, string>>;
const published = (publishContext: Context, volumeContext: Context = {}, volumeId = `t:${UUID}`) =>
  parseConnection({ volumeId, publishContext, volumeContext }, HOST);
const fixed = (volumeContext: Context, volumeId = UUID) => published({}, volumeContext, volumeId);

function errorOf(work: () => unknown): DriverError {
  try {
    work();
  } catch (error) {
    if (error instanceof DriverError) return error;
  }
  throw new Error("nothing was refused");
}

describe("where a volume is", () => {
  it("is read from publish_context, whatever volume_context says", () => {
    expect(published(PUBLISHED, UPSTREAM)).toEqual({
      connection: { transport: "tcp", nqn: NQN, portals: [{ address: "10.0.0.1", port: 4421 }], uuid: UUID, ...HOST },
      authentication: "none",
    });
  });

  it("is read from the volume_context of upstream's static volumes, which are not attached", () => {
    expect(fixed(UPSTREAM)).toEqual({
      connection: { transport: "tcp", nqn: NQN, portals: [{ address: "10.0.0.2", port: 4420 }], uuid: UUID, ...HOST },
      authentication: "as-given",
    });
    expect(fixed({ ...UPSTREAM, targetType: "tcp" }).connection.transport).toBe("tcp");
  });

  it("takes NVMe's own port where none is said", () => {
    const { targetPort: _, ...context } = UPSTREAM;
    for (const each of [context, { ...context, targetPort: "" }]) {
      expect(fixed(each).connection.portals).toEqual([{ address: "10.0.0.2", port: 4420 }]);
    }
  });

  it("is said by all portals of a target that has several", () => {
    const portals = "10.0.0.1:4421,[fd00::1]:4422, 10.0.0.2";
    expect(published({ ...PUBLISHED, portals }).connection.portals).toEqual([
      { address: "10.0.0.1", port: 4421 },
      { address: "fd00::1", port: 4422 },
      { address: "10.0.0.2", port: 4420 },
    ]);
  });

  it("may be said by an IPv6 address", () => {
    expect(fixed({ ...UPSTREAM, targetAddr: "fd00::1" }).connection.portals).toEqual([
      { address: "fd00::1", port: 4420 },
    ]);
  });

  it("is missing for a volume that was not published", () => {
    for (const context of [{}, { nqn: "" }, { targetAddr: "10.0.0.1" }]) {
      const error = errorOf(() => published({}, context));
      expect(error).toMatchObject({ code: "NOT_READY", message: expect.stringContaining("publish the volume") });
    }
  });
});

describe("which device it is", () => {
  const foreign = "nqn.2016-06.io.spdk:cnode1";

  it.each([
    ["its NQN", { ...UPSTREAM, model: "SPDK bdev Controller" }, "some-name"],
    ["the model, under any NQN", { ...UPSTREAM, nqn: foreign }, "some-name"],
    ["the model in capitals", { ...UPSTREAM, nqn: foreign, model: UUID.toUpperCase() }, "some-name"],
    ["a bare uuid as handle", { ...UPSTREAM, nqn: foreign, model: "" }, UUID],
    ["a handle of ours", { ...UPSTREAM, nqn: foreign, model: "" }, `spdk-1:${UUID}`],
  ])("is said by %s", (_, context, volumeId) => {
    expect(fixed(context, volumeId).connection.uuid).toBe(UUID);
  });

  it("is said more closely once the volume was moved", () => {
    expect(published({ ...PUBLISHED, nguid: "0123456789ABCDEF0123456789ABCDEF" }).connection.nguid).toBe(
      "0123456789abcdef0123456789abcdef",
    );
    expect(published(PUBLISHED).connection).not.toHaveProperty("nguid");
  });

  it("is not guessed", () => {
    const { model: _, ...context } = { ...UPSTREAM, nqn: foreign };
    expect(errorOf(() => fixed(context, "some-name"))).toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/has no model: .*some-name/),
    });
    expect(errorOf(() => fixed({ ...UPSTREAM, model: OTHER })).message).toContain(`names lvol ${UUID}`);
  });
});

describe("a wrong value is named, with what it takes", () => {
  it.each([
    ["targetType", "nvme-rdma", "NVMe/TCP alone"],
    ["targetType", "iscsi", "NVMe/TCP alone"],
    ["targetType", "", "NVMe/TCP alone"],
    ["targetAddr", "", "without brackets"],
    ["targetAddr", "[fd00::1]", "without brackets"],
    ["targetAddr", "10.0.0.1,hostnqn=x", "without brackets"],
    ["targetAddr", "storage.example", "IPv4 or IPv6"],
    ["targetPort", "0", "1 to 65535"],
    ["targetPort", "65536", "1 to 65535"],
    ["targetPort", "4420,tls", "1 to 65535"],
    ["targetPort", "0x1144", "1 to 65535"],
    ["portals", "10.0.0.1:4420,", "10.0.0.1:4420,[fd00::1]:4420"],
    ["portals", "fd00::1:4420", "10.0.0.1:4420,[fd00::1]:4420"],
    ["portals", "[10.0.0.1]:4420", "10.0.0.1:4420,[fd00::1]:4420"],
    ["portals", "10.0.0.1:99999", "10.0.0.1:4420,[fd00::1]:4420"],
    ["nqn", "nqn.2020-04.io.spdk.csi:uuid:x,traddr=10.0.0.9", "NQN of a subsystem"],
    ["nqn", `nqn.2020-04.io.spdk:${"x".repeat(220)}`, "NQN of a subsystem"],
    ["nqn", "lvol", "NQN of a subsystem"],
    ["dhchap", "both", "host or mutual"],
    ["nguid", "6211b48b-bd77-4bc8-ad3f-de3728351d09", "32 hexadecimal digits"],
  ])("%s %j", (key, value, takes) => {
    const error = errorOf(() => published({ ...PUBLISHED, [key]: value }));
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringContaining(takes) });
    expect(error.message).toContain(`publish_context has ${key} "${value}"`);
  });

  it("in the context that has it", () => {
    expect(errorOf(() => fixed({ ...UPSTREAM, targetPort: "x" })).message).toContain("volume_context");
    const { targetType: _, ...context } = UPSTREAM;
    expect(errorOf(() => fixed(context)).message).toContain("volume_context has no targetType");
  });
});

describe("what the target asks of its hosts", () => {
  it.each(["host", "mutual"] as const)("is said by dhchap: %s", (dhchap) => {
    expect(published({ ...PUBLISHED, dhchap }).authentication).toBe(dhchap);
    expect(fixed({ ...UPSTREAM, dhchap }).authentication).toBe(dhchap);
  });
});
