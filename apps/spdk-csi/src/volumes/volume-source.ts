/** What a new volume starts with. */
export type VolumeSource =
  | { readonly kind: "snapshot"; readonly id: string }
  | { readonly kind: "volume"; readonly id: string };
