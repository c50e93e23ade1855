import { describe, expect, it } from "vitest";

import type { CsiClient } from "../src/csi-client.ts";
import { CsiError } from "../src/csi-error.ts";
import type * as csi from "../src/gen/csi.ts";
import { CrashReplayError, type CrashReplayOptions, crashReplay, FAULT_KINDS } from "../src/testing/index.ts";
import { type Lun, LunArray } from "./lun-array.ts";
import { LunDriver } from "./lun-driver.ts";
import * as mutants from "./lun-mutants.ts";

const capability = { accessMode: { mode: 1 }, accessType: { $case: "block", value: {} } } as const;

async function scenario({ controller }: CsiClient): Promise<void> {
  const volume = async (name: string): Promise<string> => {
    const { volume } = await controller.createVolume({
      name,
      capacityRange: { requiredBytes: 1n },
      volumeCapabilities: [capability],
    });
    return volume?.volumeId ?? "";
  };
  const volumeId = await volume("first");
  await volume("second");
  await controller.controllerPublishVolume({ volumeId, nodeId: "host", volumeCapability: capability });
  await controller.controllerUnpublishVolume({ volumeId, nodeId: "host" });
  await controller.deleteVolume({ volumeId });
}

function optionsFor(Driver: new (array: LunArray) => LunDriver): CrashReplayOptions<LunArray> {
  return {
    makeBackend: () => new LunArray(),
    makeDriver: (array) => new Driver(array),
    scenario,
    // Ids are left out: a volume that was made twice has another one.
    snapshot: ({ luns }) => luns.map(({ label, isFormatted, hosts }) => ({ label, isFormatted, hosts })),
    orphans: ({ luns }) => luns.filter(({ label }) => label === "").map(({ id }) => id),
  };
}

/** Where the faults were that a driver did not recover from. */
async function failuresOf(Driver: new (array: LunArray) => LunDriver): Promise<CrashReplayError> {
  const error: unknown = await crashReplay(optionsFor(Driver)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CrashReplayError)) throw new Error(`no fault was found: ${String(error)}`);
  return error;
}

describe("a driver that recovers from everything", () => {
  it("passes, struck at every call in every way", async () => {
    const { calls, runs } = await crashReplay(optionsFor(LunDriver));
    expect(calls.map(({ rpc, number, method }) => `${rpc} ${number} ${method}`)).toEqual([
      "CreateVolume 1 list",
      "CreateVolume 2 create",
      "CreateVolume 3 format",
      "CreateVolume 1 list",
      "CreateVolume 2 create",
      "CreateVolume 3 format",
      "ControllerPublishVolume 1 list",
      "ControllerPublishVolume 2 addHost",
      "ControllerUnpublishVolume 1 list",
      "ControllerUnpublishVolume 2 removeHost",
      "DeleteVolume 1 list",
      "DeleteVolume 2 delete",
    ]);
    expect(runs).toBe(calls.length * FAULT_KINDS.length);
  });

  it("passes when its recovery is struck, too", async () => {
    const { calls, runs } = await crashReplay({ ...optionsFor(LunDriver), faults: 2 });
    expect(runs).toBeGreaterThan((calls.length * FAULT_KINDS.length) ** 2 / 2);
  });
});

describe("a driver is found that", () => {
  it.each([
    [
      "leaks a volume when it dies between two steps",
      mutants.LeaksBetweenTwoSteps,
      "CreateVolume",
      "dies after",
      "create",
      /orphans/,
    ],
    [
      "creates twice when it does not look first",
      mutants.CreatesTwice,
      "CreateVolume",
      "fails after",
      "create",
      /instead of/,
    ],
    [
      "knows only in memory what it has created",
      mutants.RemembersInMemory,
      "CreateVolume",
      "dies after",
      "format",
      /instead of/,
    ],
    [
      "forgets a step when it is repeated",
      mutants.ForgetsToFormat,
      "CreateVolume",
      "fails before",
      "format",
      /instead of/,
    ],
    [
      "cannot repeat what has worked",
      mutants.PublishesOnce,
      "ControllerPublishVolume",
      "dies after",
      "addHost",
      /has the host/,
    ],
    [
      "loses what it must still delete",
      mutants.UnlabelsBeforeDeleting,
      "DeleteVolume",
      "dies before",
      "delete",
      /orphans/,
    ],
    [
      "says OK although it failed",
      mutants.SwallowsFailures,
      "ControllerUnpublishVolume",
      "fails before",
      "removeHost",
      /instead of/,
    ],
    ["never works again after a failure", mutants.NeverRecovers, "DeleteVolume", "fails before", "list", /10 tries/],
  ] as const)("%s", async (_, Driver, rpc, kind, method, problem) => {
    const { failures, message } = await failuresOf(Driver);
    const found = failures.find(({ points: [point] }) => point?.kind === kind && point.method === method);
    expect(found?.points[0]).toMatchObject({ rpc, kind, method });
    expect(found?.problem).toMatch(problem);
    expect(message).toContain(`${rpc} (step `);
    expect(failures.every(({ points: [point] }) => point?.rpc === rpc)).toBe(true);
  });
});

describe("a scenario", () => {
  it("must work without faults", async () => {
    const options = optionsFor(LunDriver);
    const failing = async ({ controller }: CsiClient): Promise<void> => {
      await controller.controllerPublishVolume({ volumeId: "none", nodeId: "host", volumeCapability: capability });
    };
    await expect(crashReplay({ ...options, scenario: failing, tries: 2 })).rejects.toThrow(
      /does not work without faults/,
    );
  });

  it("may read streams, which begin anew when they are struck", async () => {
    class Streams extends LunDriver {
      override async *getMetadataAllocated(): AsyncGenerator<object> {
        for (const { bytes } of await this.array.list()) {
          await this.array.list();
          yield { blockMetadataType: 1, volumeCapacityBytes: bytes };
        }
      }
      override async *getMetadataDelta(): AsyncGenerator<object> {}
    }
    const counts = new Set<number>();
    const reading = async (client: CsiClient): Promise<void> => {
      await client.controller.createVolume({
        name: "v",
        volumeCapabilities: [capability],
        capacityRange: { requiredBytes: 1n },
      });
      let count = 0;
      for await (const _ of client.snapshotMetadata.getMetadataAllocated({ snapshotId: "s" })) count += 1;
      counts.add(count);
    };
    const { calls } = await crashReplay({ ...optionsFor(Streams), scenario: reading });
    expect(calls.map(({ rpc }) => rpc)).toContain("GetMetadataAllocated");
    expect([...counts]).toEqual([1]);
  });

  it("must end in the same state each time", async () => {
    const options = { ...optionsFor(LunDriver), snapshot: () => Math.random() };
    await expect(crashReplay(options)).rejects.toThrow(/does not work without faults: after CreateVolume/);
  });
});

describe("the backend of a driver", () => {
  it("is struck in the objects that it holds, and left alone in what is not asynchronous", async () => {
    const makeBackend = (): { readonly luns: LunArray; readonly size: () => number } => ({
      luns: new LunArray(),
      size: () => 1,
    });
    const { calls } = await crashReplay({
      makeBackend,
      makeDriver: ({ luns, size }) => {
        expect(size()).toBe(1);
        return new LunDriver(luns);
      },
      scenario,
      snapshot: ({ luns }) => luns.luns.map(({ label }) => label),
    });
    expect(calls.map(({ method }) => method)).not.toContain("size");
    expect(calls).toHaveLength(12);
  });

  it("may have one method for all, whose calls are named by what they ask for", async () => {
    /** An array behind an RPC, of which a driver sees no more than `call`. */
    class RemoteArray {
      readonly array: LunArray = new LunArray();

      async call(method: "list" | "delete", id = ""): Promise<unknown> {
        return method === "list" ? this.array.list() : this.array.delete(id);
      }
    }
    const { calls } = await crashReplay({
      makeBackend: async () => {
        const remote = new RemoteArray();
        await remote.array.create(1n, "there");
        return remote;
      },
      makeDriver: (remote) => {
        const list = async (): Promise<readonly Lun[]> => (await remote.call("list")) as readonly Lun[];
        const remove = async (id: string): Promise<void> => void (await remote.call("delete", id));
        return new LunDriver(Object.assign(Object.create(LunArray.prototype), { list, delete: remove }));
      },
      scenario: async ({ controller }) => void (await controller.deleteVolume({ volumeId: "lun-1" })),
      snapshot: ({ array }) => array.luns,
      nameCall: (_, [method]) => String(method),
    });
    expect(calls.map(({ method }) => method)).toEqual(["list", "delete"]);
  });

  it("fails with what the options say", async () => {
    const failure = (): Error => new CsiError("UNAVAILABLE", "the array is busy");
    class Blames extends LunDriver {
      override async deleteVolume(request: csi.DeleteVolumeRequest): Promise<object> {
        return super.deleteVolume(request).catch((error: unknown) => {
          if (error instanceof CsiError && error.code === "UNAVAILABLE") return {};
          throw error;
        });
      }
    }
    await expect(crashReplay(optionsFor(Blames))).resolves.toBeDefined();
    await expect(crashReplay({ ...optionsFor(Blames), failure })).rejects.toThrow(/DeleteVolume/);
  });
});
