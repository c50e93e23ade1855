import { join } from "node:path";

import { buildOnce, type GoBuild, moduleVersion, runGo } from "../go-build.ts";
import { TOOL } from "../places.ts";
import type { Report } from "../report.ts";

/** The suite's Go module. */
const SUITE = join(TOOL, "storage-suite");

/** What the suite is told of the driver. */
export const TESTDRIVER: string = join(SUITE, "testdriver.yaml");

/** The programs of the suite. */
export interface SuitePrograms {
  /** Runs the specs in several processes. */
  readonly ginkgo: string;
  /** Has the specs. */
  readonly suite: string;
  /** What containers of specs run. */
  readonly agnhost: string;
}

const SUITE_TEST = "storage-suite.test";

const BUILD: GoBuild = {
  name: "storage-suite",
  title: "Kubernetes' storage suite",
  module: SUITE,
  // All that the suite's test is linked of, so that progress can be told: `go test` tells none.
  packages: ["tool", "k8s.io/kubernetes/test/e2e/storage/external"],
  async finish(folder, flags) {
    // Vetting would take ten minutes: it looks into all that is imported.
    runGo(SUITE, ["test", "-c", "-vet=off", ...flags, "-o", join(folder, SUITE_TEST), "."]);
  },
};

/** Builds them, unless that has been done. */
export async function buildSuite(report: Report): Promise<SuitePrograms> {
  const [suite, cluster] = [moduleVersion("k8s.io/kubernetes", SUITE), moduleVersion("k8s.io/kubernetes")];
  if (suite !== cluster) throw new Error(`storage-suite/go.mod has Kubernetes ${suite}, go.mod has ${cluster}`);
  const folder = await buildOnce(BUILD, report);
  return { ginkgo: join(folder, "ginkgo"), suite: join(folder, SUITE_TEST), agnhost: join(folder, "agnhost") };
}
