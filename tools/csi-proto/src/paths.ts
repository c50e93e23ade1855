import { fileURLToPath } from "node:url";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export const TOOL_DIR: string = path("..");
export const PROTO_DIR: string = path("../../../libs/csi-framework/proto");
export const GEN_DIR: string = path("../../../libs/csi-framework/src/gen");

/** The workspace's root, as a URL. */
export const ROOT: URL = new URL("../../../", import.meta.url);
