/** The rows of a table in tab-separated text, without its head. */
export function rows(tsv: string): string[][] {
  return tsv
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"));
}
