/** Tells which methods may be called: those that match one of the patterns, in which `*` stands for any characters. */
export function createMethodFilter(patterns: readonly string[] | undefined): (method: string) => boolean {
  if (patterns === undefined) return () => true;
  const expressions = patterns.map((pattern) => {
    if (!/^[\w*]+$/.test(pattern)) throw new RangeError(`"${pattern}" is no method and no pattern like bdev_lvol_*`);
    return new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
  });
  return (method) => expressions.some((expression) => expression.test(method));
}
