/** An address as RPCs name it. */
export interface ListenerAddress {
  readonly trtype: string;
  readonly adrfam: string;
  readonly traddr: string;
  readonly trsvcid: string;
}
