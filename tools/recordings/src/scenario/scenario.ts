import type { Step } from "../step.ts";
import { bdev } from "./bdev.ts";
import { end } from "./end.ts";
import { iscsi } from "./iscsi.ts";
import { nvme, nvmf } from "./nvmf.ts";
import { observe } from "./observe.ts";
import { startup } from "./startup.ts";

/** Everything that the recorder asks a fresh target, in this order. */
export const scenario: readonly Step[] = [...startup, ...observe, ...bdev, ...nvmf, ...nvme, ...iscsi, ...end];
