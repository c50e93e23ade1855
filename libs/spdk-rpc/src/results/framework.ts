export type { SpdkVersion } from "../results.ts";
