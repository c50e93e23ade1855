import { describe, expect, it } from "vitest";

import { driverWith, everything, startPlugin } from "../test/test-plugin.ts";
import { CsiClient } from "./csi-client.ts";
import {
  ControllerServiceCapability_RPC_Type as ControllerRpc,
  NodeServiceCapability_RPC_Type as NodeRpc,
  PluginCapability_Service_Type as PluginService,
} from "./gen/csi.ts";
import { serve } from "./serve.ts";

const nothing = async () => ({});

/** The numbers that the capabilities of an answer stand for. */
function types({ capabilities }: { readonly capabilities: readonly object[] }): unknown[] {
  return capabilities.map((each) => (each as { type: { value: { type: unknown } } }).type.value.type);
}

async function advertised(...drivers: Parameters<typeof driverWith>[]) {
  await using plugin = await startPlugin(drivers.map((driver) => driverWith(...driver)));
  using csi = new CsiClient(plugin.server.endpoint);
  return {
    plugin: types(await csi.identity.getPluginCapabilities({})),
    controller: types(await csi.controller.controllerGetCapabilities({})),
    node: types(await csi.node.nodeGetCapabilities({})),
  };
}

describe("what a plugin advertises", () => {
  it("is nothing when nothing is overridden", async () => {
    expect(await advertised([{}])).toEqual({ plugin: [], controller: [], node: [] });
  });

  it("follows from the methods that are overridden", async () => {
    const { plugin, controller } = await advertised([
      { createVolume: nothing, deleteVolume: nothing, validateVolumeCapabilities: nothing, listVolumes: nothing },
    ]);
    expect(plugin).toEqual([PluginService.CONTROLLER_SERVICE]);
    expect(controller).toEqual([ControllerRpc.CREATE_DELETE_VOLUME, ControllerRpc.LIST_VOLUMES]);
  });

  it("is the union of what several drivers on one socket can do", async () => {
    const controllerDriver = { createVolume: nothing, deleteVolume: nothing, validateVolumeCapabilities: nothing };
    const nodeDriver = {
      nodePublishVolume: nothing,
      nodeUnpublishVolume: nothing,
      nodeGetInfo: nothing,
      nodeGetVolumeStats: nothing,
    };
    const { plugin, controller, node } = await advertised([controllerDriver], [nodeDriver]);
    expect(plugin).toEqual([PluginService.CONTROLLER_SERVICE]);
    expect(controller).toEqual([ControllerRpc.CREATE_DELETE_VOLUME]);
    expect(node).toEqual([NodeRpc.GET_VOLUME_STATS]);
  });

  it("is every capability when everything is overridden and every feature declared", async () => {
    const features = {
      volumeExpansion: "online",
      singleNodeMultiWriter: true,
      publishReadonly: true,
      publishedNodes: true,
      cloneVolume: true,
      topology: true,
      volumeMountGroup: true,
    };
    await using plugin = await startPlugin(Object.assign(everything(), { features }));
    using csi = new CsiClient(plugin.server.endpoint);
    const known = (all: Readonly<Record<string, number>>): number[] =>
      Object.values(all).filter((value) => value !== 0);
    expect(new Set(types(await csi.controller.controllerGetCapabilities({})))).toEqual(new Set(known(ControllerRpc)));
    expect(new Set(types(await csi.node.nodeGetCapabilities({})))).toEqual(new Set(known(NodeRpc)));
  });
});

it.each([
  ["createVolume", "deleteVolume"],
  ["controllerPublishVolume", "controllerUnpublishVolume"],
  ["createSnapshot", "deleteSnapshot"],
  ["nodeStageVolume", "nodeUnstageVolume"],
  ["nodePublishVolume", "nodeUnpublishVolume"],
  ["getMetadataAllocated", "getMetadataDelta"],
] as const)("%s without %s is refused at the start, by name", async (half, missing) => {
  await expect(serve(driverWith({ [half]: nothing }), { endpoint: "/nowhere/csi.sock" })).rejects.toThrow(missing);
});
