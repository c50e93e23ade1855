// The programs of a node, inside the virtual machine that it is.
import { VIRTUAL_NODE } from "../nodes.ts";
import { startNode } from "./node.ts";
import { Programs } from "./programs.ts";

await startNode(new Programs("inherit"), VIRTUAL_NODE);
