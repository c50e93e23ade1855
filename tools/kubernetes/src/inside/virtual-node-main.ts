// The programs of a node, inside the virtual machine that it is.
// Usage: node tools/kubernetes/src/inside/virtual-node-main.ts ADDRESS
import { CONTAINERD, startKubelet, untilContainerd } from "./node.ts";
import { Programs } from "./programs.ts";

const [address = ""] = process.argv.slice(2);
const programs = new Programs("inherit");
programs.start(...CONTAINERD);
await untilContainerd();
startKubelet(programs, address);
