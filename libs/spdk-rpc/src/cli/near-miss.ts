/** The candidates that a misspelt word may have meant, nearest first. */
export function nearMisses(word: string, candidates: Iterable<string>): string[] {
  const farthest = Math.max(2, Math.floor(word.length / 4));
  const ranked = [...candidates]
    .map((candidate) => ({ candidate, distance: rank(word, candidate) }))
    .toSorted((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate));
  const nearest = ranked[0]?.distance ?? Infinity;
  return ranked
    .filter(({ distance }) => distance === nearest && distance <= farthest)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Writes near misses as a question; nothing where there are none. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearMisses(word, candidates);
  return near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
}

/** Words in another order, as in get_bdevs for bdev_get_bdevs, are near as well. */
function rank(word: string, candidate: string): number {
  const parts = word.split("_");
  const others = candidate.split("_");
  const isPart = parts.length > 1 && parts.every((part) => others.includes(part));
  return isPart ? Math.min(1.5, distance(word, candidate)) : distance(word, candidate);
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
