// The programs of a node, inside the virtual machine that it is.
// Usage: node tools/kubernetes/src/inside/virtual-node-main.ts ADDRESS
import { startContainers, startKubelet } from "./node.ts";
import { Programs } from "./programs.ts";

const [address = ""] = process.argv.slice(2);
const programs = new Programs("inherit");
await startContainers(programs);
startKubelet(programs, address);
