/** The middle of some figures. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Prints a figure beside its goal; one that misses it makes the process fail. */
export function report(what: string, figure: string, goal?: string, met = true): void {
  const verdict = goal === undefined ? "" : `  (goal: ${goal}: ${met ? "met" : "NOT MET"})`;
  process.stdout.write(`${what.padEnd(48)} ${figure.padStart(10)}${verdict}\n`);
  if (!met) process.exitCode = 1;
}
