export type { SpdkMethodResults, SpdkResult } from "../results.ts";
