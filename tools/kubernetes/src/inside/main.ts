// The cluster's programs, inside its namespaces: starts them, tells each step in a line on standard output, and ends with
// the first of them that ends, or when its standard input does.
// Usage: node tools/kubernetes/src/inside/main.ts namespaces | virtual-machine
import { SERVER_ADDRESS } from "../places.ts";
import { isNodeReady, serveApi } from "./api.ts";
import { startControlPlane, untilControlled } from "./control-plane.ts";
import { CONTAINERD, loadImages, startKubelet } from "./node.ts";
import { Programs, tell, until } from "./programs.ts";
import { startTarget } from "./target.ts";
import { fillDisk, startVirtualNode } from "./virtual-node.ts";

process.stdin.resume().once("end", () => process.exit(0));
const programs = new Programs("files");
serveApi();
startTarget(programs);
if (process.argv[2] === "virtual-machine") {
  await Promise.all([startControlPlane(programs), fillDisk(programs)]);
  startVirtualNode();
} else {
  programs.start(...CONTAINERD);
  await Promise.all([startControlPlane(programs), loadImages(programs)]);
  startKubelet(programs, SERVER_ADDRESS);
}
await until("the node", isNodeReady);
tell("the node is ready");
await untilControlled();
tell("ready");
