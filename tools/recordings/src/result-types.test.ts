import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { JsonValue } from "@org/spdk-rpc";
import { Ajv } from "ajv";
import { createGenerator } from "ts-json-schema-generator";
import { describe, expect, it } from "vitest";

import { readTranscripts } from "./transcripts.ts";

/** A result of a method, and what it is called in messages. */
interface Answer {
  readonly label: string;
  readonly method: string;
  readonly result: JsonValue;
}

const ROOT = join(import.meta.dirname, "../../..");
const TYPES = join(ROOT, "libs/spdk-rpc/src/results/spdk-method-results.ts");
const TIMEOUT_MS = 180_000;

const recorded = readTranscripts().successes.map(
  ({ transcript, name, method, result }): Answer => ({ label: `${method} in ${transcript}, ${name}`, method, result }),
);
const schema = createGenerator({
  path: TYPES,
  tsconfig: join(ROOT, "libs/spdk-rpc/tsconfig.json"),
  type: "SpdkMethodResults",
  skipTypeCheck: true,
  additionalProperties: false,
}).createSchema("SpdkMethodResults") as { definitions: { SpdkMethodResults: { properties: object } } };
const typed = Object.keys(schema.definitions.SpdkMethodResults.properties);

describe("the results of the methods", () => {
  it("are typed for every method that a target was recorded with, and for no other", () => {
    expect(typed.length).toBeGreaterThanOrEqual(120);
    expect(typed.toSorted()).toEqual([...new Set(recorded.map(({ method }) => method))].sort());
  });

  it("have the fields of their types at run time, and no others", { timeout: TIMEOUT_MS }, () => {
    expect(findMismatches(recorded)).toEqual([]);
  });

  it("fit their types as literals in the compiler's eyes", { timeout: TIMEOUT_MS }, async () => {
    expect(await findTypeErrors(recorded)).toEqual([]);
  });
});

describe("a result that is not of its method's type", () => {
  const version = { version: "SPDK v26.09", fields: { major: 26, minor: 9, patch: 0, suffix: "" } };
  const wrong: readonly Answer[] = [
    { label: "missing", method: "spdk_get_version", result: { version: "SPDK v26.09" } },
    { label: "unknown", method: "spdk_get_version", result: { ...version, fields: { ...version.fields, extra: 1 } } },
    { label: "number for string", method: "bdev_lvol_create", result: 1 },
    { label: "string of no union", method: "log_get_level", result: "LOUD" },
    { label: "false for true", method: "bdev_lvol_delete", result: false },
  ];
  const right: Answer = { label: "right", method: "spdk_get_version", result: version };
  const tooLarge: Answer = { label: "too large", method: "nvmf_subsystem_add_ns", result: 2n ** 60n };

  it("is found at run time", { timeout: TIMEOUT_MS }, () => {
    expect(findMismatches([right])).toEqual([]);
    for (const answer of wrong)
      expect(findMismatches([answer]), answer.label).toEqual([expect.stringContaining(answer.label)]);
  });

  it("is found by the compiler, as is an integer that a number would round", { timeout: TIMEOUT_MS }, async () => {
    const errors = await findTypeErrors([...wrong, right, tooLarge]);
    expect(errors.map((error) => error.split(":")[0])).toEqual([...wrong, tooLarge].map(({ label }) => label));
  });
});

/** What of the answers is not as the types say, as text. */
function findMismatches(answers: readonly Answer[]): string[] {
  const ajv = new Ajv({ allowUnionTypes: true, verbose: true }).addSchema(schema, "results");
  return answers.flatMap(({ label, method, result }) => {
    const validate = ajv.getSchema(`results#/definitions/SpdkMethodResults/properties/${method}`);
    if (validate === undefined) return [`${label}: the method has no type`];
    if (validate(withoutBigints(result)) === true) return [];
    const first = (validate.errors ?? []).map(({ instancePath, message, params, data }) =>
      [instancePath || "/", message, JSON.stringify(params), JSON.stringify(data)?.slice(0, 80)].join(" "),
    );
    return [`${label}: ${first.join("; ")}`];
  });
}

/** A schema knows one kind of numbers; the compiler sees to it that large ones may be large. */
function withoutBigints(value: JsonValue): unknown {
  return JSON.parse(JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? Number(item) : item)));
}

/** What the compiler says of the answers, written as literals that have to satisfy their types. */
async function findTypeErrors(answers: readonly Answer[]): Promise<string[]> {
  const labels = new Map<string, string>();
  for (const { label, method, result } of answers) {
    const statement = `void (${literal(result)} satisfies SpdkMethodResults["${method}"]);`;
    if (!labels.has(statement)) labels.set(statement, label);
  }
  const folder = mkdtempSync(join(tmpdir(), "result-types-"));
  try {
    const source = [`import type { SpdkMethodResults } from "${TYPES}";`, ...labels.keys(), ""].join("\n");
    writeFileSync(join(folder, "answers.mts"), source);
    const config = {
      extends: join(ROOT, "tsconfig.base.json"),
      compilerOptions: { types: [] },
      files: ["answers.mts"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const output = await compile(folder);
    return output.split("\n").flatMap((line) => {
      const [, row, message] = /^answers\.mts\((\d+),\d+\): (.*)/.exec(line) ?? [];
      if (row !== undefined) return [`${[...labels.values()][Number(row) - 2]}: ${message}`];
      return line.includes("error TS") ? [line] : [];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compile(folder: string): Promise<string> {
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  return new Promise((resolve, reject) => {
    execFile(tsc, ["--noEmit", "--pretty", "false"], { cwd: folder, maxBuffer: 2 ** 26 }, (error, stdout) => {
      if (error !== null && stdout === "") reject(error);
      else resolve(stdout);
    });
  });
}

function literal(value: JsonValue): string {
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => literal(item)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${literal(item as JsonValue)}`);
  return `{ ${members.join(", ")} }`;
}
