import { nearMiss } from "../config/near-miss.ts";

/** A command line that cannot be used. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** An option as the command line takes it. */
export interface Flag {
  readonly name: string;
  /** What its value is called. Without: the option is true or false, and needs no value. */
  readonly value?: string;
  /** What --help says of it. */
  readonly help: string;
}

/** What was given for each option, in order. */
export type FlagValues = ReadonlyMap<string, readonly string[]>;

const TRUE = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE = ["0", "f", "F", "false", "FALSE", "False"];

/**
 * Reads options as Go's `flag` does, since upstream's are written for it: one dash or two; `=value`, or a value that
 * follows; true or false only with `=`. Throws UsageError.
 */
export function parseFlags(args: readonly string[], flags: readonly Flag[]): FlagValues {
  const values = new Map<string, readonly string[]>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) throw new UsageError(`"${arg}" is no option; a command comes first`);
    const flag = flags.find((known) => known.name === name);
    if (flag === undefined) throw new UsageError(`there is no option --${name}${didYouMean(name, flags)}`);
    const value = flag.value === undefined ? toSwitch(name, inline) : (inline ?? takeValue(flag, rest, flags));
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return values;
}

/** The last value given for an option; undefined when none was. */
export function lastOf(values: FlagValues, name: string): string | undefined {
  return values.get(name)?.at(-1);
}

function toSwitch(name: string, inline = "true"): string {
  if (TRUE.includes(inline)) return "true";
  if (FALSE.includes(inline)) return "false";
  throw new UsageError(`--${name}=${inline}: write true or false`);
}

function takeValue({ name, value }: Flag, rest: string[], flags: readonly Flag[]): string {
  const next = rest.shift();
  const isFlag = flags.some((flag) => next === `-${flag.name}` || next === `--${flag.name}`);
  if (next === undefined || isFlag) throw new UsageError(`--${name} needs a value: --${name} ${value}`);
  return next;
}

function didYouMean(name: string, flags: readonly Flag[]): string {
  const meant = nearMiss(
    name,
    flags.map((flag) => flag.name),
  );
  return meant === undefined ? "" : `; did you mean --${meant}?`;
}
