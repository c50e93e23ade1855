import { rpcMethods } from "../../../capabilities.ts";
import { RPCS, type RpcMethod } from "../../../gen/rpcs.ts";
import { sampleRequest } from "../../sample-message.ts";
import type { CaseGroup } from "../conformance-case.ts";
import { must, mustEqual, mustFail } from "../must.ts";
import { call } from "../raw-call.ts";

const NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/;

const once = (what: string, items: readonly unknown[]): void => {
  const texts = items.map((item) => JSON.stringify(item));
  mustEqual(`the number of ${what} that are named twice`, texts.length - new Set(texts).size, 0);
};

export const identityCases: readonly CaseGroup[] = [
  {
    subject: "GetPluginInfo",
    needs: [],
    cases: {
      "names the plugin in domain-name notation, with a version": async ({ client }) => {
        const { name, vendorVersion } = await client.identity.getPluginInfo({});
        must(NAME.test(name), `the name "${name}" is not a domain name of at most 63 characters`);
        must(vendorVersion !== "", "vendor_version is empty");
      },
    },
  },
  {
    subject: "GetPluginCapabilities",
    needs: [],
    cases: {
      "names each capability once": async ({ client }) => {
        once("capabilities", (await client.identity.getPluginCapabilities({})).capabilities);
      },
    },
  },
  {
    subject: "Probe",
    needs: [],
    cases: {
      "does not say that the plugin is not ready": async ({ client }) => {
        must((await client.identity.probe({})).ready !== false, "Probe answers that the plugin is not ready");
      },
    },
  },
  {
    subject: "A plugin",
    needs: [],
    cases: {
      "answers UNIMPLEMENTED to each RPC that it does not advertise": async ({ client, offer }) => {
        for (const rpc of rpcMethods().filter((method) => !offer.has(method) && !isAsked(method))) {
          await mustFail(RPCS[rpc].name, call(client, rpc, sampleRequest(rpc)), "UNIMPLEMENTED");
        }
      },
    },
  },
  {
    subject: "ControllerGetCapabilities",
    needs: ["controllerGetCapabilities"],
    cases: {
      "names each capability once": async ({ client }) => {
        once("capabilities", (await client.controller.controllerGetCapabilities({})).capabilities);
      },
    },
  },
  {
    subject: "GroupControllerGetCapabilities",
    needs: ["groupControllerGetCapabilities"],
    cases: {
      "names each capability once": async ({ client }) => {
        once("capabilities", (await client.groupController.groupControllerGetCapabilities({})).capabilities);
      },
    },
  },
  {
    subject: "NodeGetCapabilities",
    needs: ["nodeGetInfo"],
    cases: {
      "names each capability once": async ({ client }) => {
        once("capabilities", (await client.node.nodeGetCapabilities({})).capabilities);
      },
    },
  },
  {
    subject: "NodeGetInfo",
    needs: ["nodeGetInfo"],
    cases: {
      "names the same node each time, within 256 bytes": async ({ client }) => {
        const { nodeId } = await client.node.nodeGetInfo({});
        must(Buffer.byteLength(nodeId) <= 256, `node_id has ${Buffer.byteLength(nodeId)} bytes`);
        mustEqual("the second node_id", (await client.node.nodeGetInfo({})).nodeId, nodeId);
      },
      "allows a number of volumes that is not negative": async ({ client }) => {
        must((await client.node.nodeGetInfo({})).maxVolumesPerNode >= 0n, "max_volumes_per_node is negative");
      },
    },
  },
];

/** Nothing is wrong with a plugin that answers what it has, although it has nothing. */
function isAsked(rpc: RpcMethod): boolean {
  return rpc.endsWith("GetCapabilities") || rpc === "validateVolumeCapabilities";
}
