export { type InProcessOptions, type InProcessPlugin, inProcess } from "./in-process.ts";
