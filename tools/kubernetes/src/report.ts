/** Takes what is being done now, in a few words. */
export type Report = (step: string) => void;

/** Tells steps with the seconds since the start; at a terminal each takes the place of the last. */
export function stepPrinter(out: NodeJS.WriteStream): Report {
  const start = performance.now();
  return (step) => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    out.write(`${out.isTTY ? "\r\x1b[K" : ""}[${seconds.padStart(6)} s] ${step}${out.isTTY ? "" : "\n"}`);
  };
}
