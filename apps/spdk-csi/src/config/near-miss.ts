/** The known word that a misspelt one was probably meant to be; undefined when none is near. */
export function nearMiss(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const farthest = Math.min(2, Math.floor(word.length / 3));
  return known
    .map((candidate) => ({ candidate, distance: distance(lower, candidate.toLowerCase(), farthest) }))
    .filter(({ distance }) => distance <= farthest)
    .toSorted((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** Levenshtein's distance; words whose lengths differ by more than `farthest` are not looked at. */
function distance(a: string, b: string, farthest: number): number {
  if (Math.abs(a.length - b.length) > farthest) return Infinity;
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of Array.from(a).entries()) {
    const current = [row + 1];
    for (let column = 0; column < b.length; column += 1) {
      const replaced = (above[column] ?? 0) + (letter === b[column] ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}
