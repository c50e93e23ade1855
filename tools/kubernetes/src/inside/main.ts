// The cluster's programs, inside its namespaces: starts them, tells each step in a line on standard output, and ends with
// the first of them that ends, or when its standard input does.
// Usage: node tools/kubernetes/src/inside/main.ts namespaces | virtual-machine
import { SERVER_ADDRESS } from "../places.ts";
import { isNodeReady, serveApi } from "./api.ts";
import { startControlPlane, untilControlled } from "./control-plane.ts";
import { startContainers, startKubelet } from "./node.ts";
import { Programs, tell, until } from "./programs.ts";
import { startTarget } from "./target.ts";
import { startVirtualNode } from "./virtual-node.ts";

process.stdin.resume().once("end", () => process.exit(0));
const programs = new Programs("files");
serveApi();
startTarget(programs);
if (process.argv[2] === "virtual-machine") {
  await startControlPlane(programs);
  startVirtualNode();
} else {
  await Promise.all([startControlPlane(programs), startContainers(programs)]);
  startKubelet(programs, SERVER_ADDRESS);
}
await until("the node", isNodeReady);
tell("the node is ready");
await untilControlled();
tell("ready");
