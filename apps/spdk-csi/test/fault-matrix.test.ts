import { afterAll, describe, expect, it } from "vitest";

import { FAULTS } from "./fault-matrix/faulty-link.ts";
import { OPERATIONS } from "./fault-matrix/operations.ts";
import { runCase } from "./fault-matrix/run-case.ts";
import { REAL_BINARY } from "./fault-matrix/target-process.ts";

// For every request of every operation every fault: the repeated call ends as if nothing had happened. The matrix is
// what the operations were seen to send. `npm run nightly` runs it on older versions, too; with SPDK_TGT=/path/to/spdk_tgt
// it runs on a real target, and with FAULT_MATRIX_FAULTS="target restart" for some of the faults.
const VERSIONS =
  REAL_BINARY === undefined ? (process.env["FAULT_MATRIX_VERSIONS"] ?? "26.09").split(",") : [REAL_BINARY];
const WANTED = process.env["FAULT_MATRIX_FAULTS"]?.split(",") ?? FAULTS;
const KINDS = FAULTS.filter((kind) => WANTED.includes(kind));
const NOTHING = { lvols: [], exports: [], keys: [] };

let cases = 0;
afterAll(() => {
  process.stdout.write(`fault matrix: ${cases} cases on SPDK ${VERSIONS.join(", ")}\n`);
});

describe.each(VERSIONS)("on SPDK %s", (version) => {
  describe.each(OPERATIONS)("$title", (operation) => {
    it("ends as if nothing had happened, whatever goes wrong at whichever of its requests", {
      timeout: 120_000,
    }, async () => {
      const clean = await runCase(operation, version);
      expect(clean.requests.length).toBeGreaterThan(0);
      expect(clean.leftovers).toEqual(NOTHING);
      const plans = clean.requests.flatMap((method, at) => KINDS.map((kind) => ({ at, kind, method })));
      for (const { at, kind, method } of plans) {
        cases += 1;
        const outcome = await runCase(operation, version, { planned: { at, kind }, wanted: clean.attached }).catch(
          (error: unknown) => ({ state: String(error), leftovers: undefined, hazards: {} }),
        );
        const { state, leftovers, hazards } = outcome;
        const about = `${kind} at request ${at} (${method}) of ${clean.requests.join(", ")}`;
        expect({ about, state, leftovers, hazards }).toEqual({
          about,
          state: clean.state,
          leftovers: NOTHING,
          hazards: {},
        });
      }
    });
  });
});
