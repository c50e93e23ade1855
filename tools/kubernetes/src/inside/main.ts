// The cluster's programs, inside its namespaces: starts them, tells each step in a line on standard output, and ends with
// the first of them that ends, or when its standard input does.
// Usage: node tools/kubernetes/src/inside/main.ts namespaces | virtual-machine
import { isNodeKind, localNode, nodesOf } from "../nodes.ts";
import { isNodeReady, serveApi } from "./api.ts";
import { startControlPlane, untilControlled } from "./control-plane.ts";
import { loadImages, startNode } from "./node.ts";
import { Programs, tell, until } from "./programs.ts";
import { startTarget } from "./target.ts";
import { fillDisk, startVirtualNode } from "./virtual-node.ts";

const [kind = ""] = process.argv.slice(2);
if (!isNodeKind(kind)) throw new Error(`no node is a ${kind}`);
const node = localNode(kind);
process.stdin.resume().once("end", () => process.exit(0));
const programs = new Programs("files");
serveApi();
startTarget(programs);
await Promise.all([startControlPlane(programs), loadImages(programs, node)]);
if (kind === "virtual-machine") {
  fillDisk();
  startVirtualNode();
}
await startNode(programs, node);
for (const { name } of nodesOf(kind)) {
  await until(`the node ${name}`, () => isNodeReady(name));
  tell(`${name} is ready`);
}
await untilControlled();
tell("ready");
