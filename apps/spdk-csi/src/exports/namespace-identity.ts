/** What a namespace is told by, beside its uuid. */
export interface NamespaceIdentity {
  readonly nsid: number;
  /** 32 hexadecimal digits. */
  readonly nguid: string;
}
