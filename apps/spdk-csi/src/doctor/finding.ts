/** What a check can come to; "skipped" is what could not be told. */
export const VERDICTS = ["ok", "warning", "failed", "skipped"] as const;

/** One of {@link VERDICTS}. */
export type Verdict = (typeof VERDICTS)[number];

/** What one check found. All but what is in order comes with what to do about it. */
export type Finding = {
  /** What was checked, in a word or two that stay the same. */
  readonly check: string;
  /** On what: "target spdk-1", "node". */
  readonly on: string;
  /** What is so. */
  readonly what: string;
  /** All that is meant, where `what` names the first few of many. */
  readonly objects?: readonly string[];
} & (
  | { readonly verdict: "ok"; readonly remedy?: undefined }
  | { readonly verdict: Exclude<Verdict, "ok">; readonly remedy: string }
);

/** Makes the findings of one check. */
export interface Findings {
  ok(what: string): Finding;
  warning(what: string, remedy: string, objects?: readonly string[]): Finding;
  failed(what: string, remedy: string, objects?: readonly string[]): Finding;
  skipped(what: string, remedy: string): Finding;
}

/** The findings of a check, by what it checks and on what. */
export function findingsOf(on: string, check: string): Findings {
  const notOk =
    (verdict: Exclude<Verdict, "ok">) =>
    (what: string, remedy: string, objects?: readonly string[]): Finding => ({
      verdict,
      check,
      on,
      what,
      remedy,
      ...(objects !== undefined && { objects }),
    });
  return {
    ok: (what) => ({ verdict: "ok", check, on, what }),
    warning: notOk("warning"),
    failed: notOk("failed"),
    skipped: notOk("skipped"),
  };
}

/** The first few of many, for a sentence: "a, b, c and 7 more". */
export function someOf(names: readonly string[], most = 3): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(", ")} and ${more} more` : names.join(", ");
}

/** Runs one check: what it throws is a finding as well, and keeps no other check from its own. */
export async function attempt(
  { failed }: Findings,
  check: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await check();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [failed(`could not be checked: ${message}`, "see the other lines, and run the doctor again")];
  }
}
