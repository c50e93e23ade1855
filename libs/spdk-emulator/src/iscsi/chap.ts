import type { ChapSettings } from "./iscsi-state.ts";

/** Parameters that say who has to show a secret. */
export const CHAP_SHAPE = {
  disable_chap: "boolean?",
  require_chap: "boolean?",
  mutual_chap: "boolean?",
  chap_group: "uint32?",
} as const;

/** As decoded. */
export type ChapParameters = { readonly [Name in keyof ChapSettings]: ChapSettings[Name] | undefined };

/** Whether the settings do not contradict one another. */
export function isConsistent({ disable_chap, require_chap, mutual_chap }: ChapParameters): boolean {
  if (disable_chap === true) return require_chap !== true && mutual_chap !== true;
  return mutual_chap !== true || require_chap === true;
}

/** The settings, with what was not given as none. */
export function toSettings(chap: ChapParameters): ChapSettings {
  const { disable_chap = false, require_chap = false, mutual_chap = false, chap_group = 0 } = chap;
  return { disable_chap, require_chap, mutual_chap, chap_group };
}
