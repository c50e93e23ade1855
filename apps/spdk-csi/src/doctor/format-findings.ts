import { formatTable } from "../reports/format-table.ts";
import { reportJson } from "../reports/report-json.ts";
import { type Finding, VERDICTS } from "./finding.ts";

/** Findings for people: a line each, and how many there are of each verdict. */
export function formatFindings(findings: readonly Finding[]): string {
  const rows = findings.map(({ verdict, on, check, what, remedy }) => [
    verdict,
    on,
    check,
    remedy === undefined ? what : `${what} -> ${remedy}`,
  ]);
  return `${formatTable(rows)}\n${count(findings)}\n`;
}

/** Findings for programs. */
export function findingsJson(findings: readonly Finding[]): string {
  const ok = !findings.some(({ verdict }) => verdict === "failed");
  return reportJson({ ok, findings });
}

function count(findings: readonly Finding[]): string {
  const counts = VERDICTS.map((verdict) => ({
    verdict,
    n: findings.filter((each) => each.verdict === verdict).length,
  }));
  return counts
    .filter(({ n }) => n > 0)
    .map(({ verdict, n }) => `${n} ${verdict === "warning" && n > 1 ? "warnings" : verdict}`)
    .join(", ");
}
