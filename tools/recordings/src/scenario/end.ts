import { call, type Step } from "../step.ts";

/** The last word: the target ends by itself. */
export const end: readonly Step[] = [
  call("framework_get_config", "bdev", { name: "bdev" }),
  call("framework_get_config", "nvmf", { name: "nvmf" }),
  call("spdk_kill_instance", "missing", { sig_name: "SIGNOPE" as never }),
  call("spdk_kill_instance", "term", { sig_name: "SIGTERM" }),
];
