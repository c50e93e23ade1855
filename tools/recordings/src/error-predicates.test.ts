import { isBusy, isExists, isNoSpace, isNoSuchDevice, SpdkRpcError } from "@org/spdk-rpc";
import { describe, expect, it } from "vitest";

import { readTranscripts } from "./transcripts.ts";

const predicates = { isNoSuchDevice, isExists, isNoSpace, isBusy };

/** What a message means; "none" is what no predicate is about. */
type Meaning = keyof typeof predicates | "none";

/** Errors that mean the same. */
interface Row {
  readonly means: Meaning;
  readonly code: number;
  readonly messages: readonly (string | RegExp)[];
}

const TABLE: readonly Row[] = [
  {
    means: "isNoSuchDevice",
    code: -19,
    messages: [
      "No such device",
      "Failed to remove base bdev from raid bdev",
      /^raid bdev \w+ is not found in config$/,
      /^raid bdev \w+ not found$/,
    ],
  },
  {
    means: "isNoSuchDevice",
    code: -32602,
    messages: [
      "No such device",
      /^Could not delete secret from CHAP group \(\d+\), No such device$/,
      /^Subsystem with NQN '\S+' not found$/,
      /^Unable to find subsystem with NQN \S+$/,
    ],
  },
  {
    means: "isNoSuchDevice",
    code: -32602,
    messages: ["bdev does not exist", "lvs does not exist", "The requested bdev does not exist."],
  },
  { means: "isNoSuchDevice", code: -2, messages: [/^Lvol store \w+ not found$/] },
  {
    means: "isNoSuchDevice",
    code: 19,
    messages: ["Unknown error -19", /^raid bdev \w+ is not found in config$/],
  },

  { means: "isExists", code: -17, messages: ["File exists", /^Failed to create RAID bdev \w+: File exists$/] },
  {
    means: "isExists",
    code: -32602,
    messages: [
      "File exists",
      /^Could not add auth group \(\d+\), File exists$/,
      /^Could not add secret to auth group \(\d+\), File exists$/,
      /^Failed to create \d+ split bdevs from '\w+': File exists$/,
      "Target already exists.",
    ],
  },
  { means: "isExists", code: -32603, messages: ["File exists", /^Transport type '\w+' already exists$/] },
  { means: "isExists", code: -32602, messages: ["failed to create DEK, rc -17"] },
  {
    means: "isExists",
    code: -114,
    messages: [/^A controller named \w+ already exists with the specified network path\n?$/],
  },
  { means: "isExists", code: 17, messages: ["Unknown error -17"] },

  { means: "isNoSpace", code: -32602, messages: ["No space left on device"] },

  {
    means: "isBusy",
    code: -32602,
    messages: ["Device or resource busy", "Failed to configure rate limit: Resource temporarily unavailable"],
  },
  {
    means: "isBusy",
    code: -32603,
    messages: [
      "Device or resource busy",
      "Subsystem currently in another state change try again later.",
      "Subsystem is already being destroyed.",
      "subsystem busy, retry later.\n",
    ],
  },

  // What is asked for is missing, but is neither bdev, lvol, lvstore, transport nor NVMe-oF subsystem.
  { means: "none", code: -126, messages: ["Required key not available"] },
  { means: "none", code: -22, messages: [/^Controller \w+ does not exist$/] },
  { means: "none", code: 22, messages: [/^Controller \w+ does not exist$/] },
  { means: "none", code: -2, messages: ["No such file or directory"] },
  { means: "none", code: -32603, messages: [/^Unable to find target \w+$/, "Unable to remove a referral."] },
  {
    means: "none",
    code: -32602,
    messages: [
      "No such file or directory",
      /^Could not find (?:auth group \(\d+\)|portal group \d+|target \S+)$/,
      "Key was not found",
      /^Subsystem '\w+' not found$/, // of the framework
      /^Target \S+ is not found$/,
      "target not found",
      "The specified target doesn't exist, cannot delete it.",
      /^Thread \d+ does not exist$/,
    ],
  },

  // Not allowed as things are.
  { means: "none", code: -1, messages: ["Operation not permitted", /^Method may only be called (?:after|before) /] },
  { means: "none", code: 1, messages: ["Unknown error -1"] },
  { means: "none", code: -32602, messages: ["Operation not permitted", "target's histogram function is not enabled"] },
  {
    means: "none",
    code: -32603,
    messages: ["Operation not permitted", /^No CPU is selected from reactor mask \w+\n?$/],
  },
  { means: "none", code: -12, messages: ["Cannot allocate memory"] },
  { means: "none", code: -5, messages: ["Input/output error"] },
  { means: "none", code: -95, messages: ["Operation not supported"] },
  { means: "none", code: -110, messages: ["Connection timed out"] },

  // The request is not as it should be, or the target keeps its reason to itself.
  { means: "none", code: -32600, messages: ["Invalid request"] },
  { means: "none", code: -32601, messages: ["Method not found"] },
  {
    means: "none",
    code: -22,
    messages: [
      "Invalid argument",
      "Disk num_blocks must be greater than 0",
      "Failed to parse bdev UUID",
      /^Invalid (?:clean_method option|clear_method parameter)$/,
      "No rate limits specified",
    ],
  },
  { means: "none", code: 22, messages: ["Unknown error -22"] },
  {
    means: "none",
    code: -32602,
    messages: [
      "Cannot allocate memory",
      /^Could not add secret to auth group \(\d+\), Invalid argument$/,
      /^Invalid (?:[MS]N \w+|admin_label|argument|cntlid range \[\d+-\d+\]|nguid|parameters|transport type '\w+')$/,
      /^Pool size \d+ too small for cache size \d+$/,
      "bdev is an lvol in same lvs as clone; use bdev_lvol_clone instead",
      /^\w+ (?:method )?requires no parameters$/,
      /^invalid log (?:flag|level)$/,
      "spdk_json_decode_object failed",
    ],
  },
  {
    means: "none",
    code: -32603,
    messages: [
      "Internal error",
      /^Unable to create subsystem \S+$/,
      "Unknown error -22",
      /^bdev \w+ could not be opened$/,
      /^error setting ANA state: -22$/,
      "spdk_json_decode_object failed",
    ],
  },
];

const errors = new Map(
  readTranscripts().errors.map(({ code, message, method, transcript, name }) => [
    JSON.stringify([code, message]),
    {
      error: new SpdkRpcError(method ?? "none", code, message),
      label: `${code} ${message}, in ${transcript}, ${name}`,
    },
  ]),
);

function rowsOf(error: SpdkRpcError): readonly Row[] {
  return TABLE.filter((row) => row.messages.some((text) => is(error, row.code, text)));
}

function is({ code, rpcMessage }: SpdkRpcError, expected: number, text: string | RegExp): boolean {
  return code === expected && (typeof text === "string" ? text === rpcMessage : text.test(rpcMessage));
}

/** The predicates that say yes. */
function answers(error: SpdkRpcError): readonly string[] {
  return Object.entries(predicates).flatMap(([name, predicate]) => (predicate(error) ? [name] : []));
}

describe("the errors that targets gave", () => {
  it("each stand in one row of the table", () => {
    expect(errors.size).toBeGreaterThan(100);
    const elsewhere = [...errors.values()].filter(({ error }) => rowsOf(error).length !== 1);
    expect(elsewhere.map(({ label }) => label)).toEqual([]);
  });

  it("are all that the table tells of", () => {
    const unused = TABLE.flatMap((row) =>
      row.messages.filter((text) => ![...errors.values()].some(({ error }) => is(error, row.code, text))),
    );
    expect(unused).toEqual([]);
  });

  it.each([...errors.values()])("$label", ({ error }) => {
    const [row] = rowsOf(error);
    expect(answers(error)).toEqual(row === undefined || row.means === "none" ? [] : [row.means]);
  });
});
