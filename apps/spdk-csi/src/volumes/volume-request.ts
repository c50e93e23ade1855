import type { TopologyRequirement } from "@org/csi-framework";

import type { VolumeParameters } from "../parameters.ts";
import type { SizeRange } from "./capacity.ts";
import type { VolumeSource } from "./volume-source.ts";

/** A request for a volume, read. */
export interface VolumeRequest {
  readonly name: string;
  readonly range: SizeRange | undefined;
  readonly parameters: VolumeParameters;
  readonly source: VolumeSource | undefined;
  /** Where it must and should be reachable from. */
  readonly accessibility: TopologyRequirement | undefined;
}
