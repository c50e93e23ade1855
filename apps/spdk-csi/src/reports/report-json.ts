/** A report for programs. No size reaches 2^53. */
export function reportJson(report: object): string {
  const replacer = (_: string, value: unknown): unknown => (typeof value === "bigint" ? Number(value) : value);
  return `${JSON.stringify(report, replacer, 2)}\n`;
}
