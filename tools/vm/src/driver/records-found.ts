export const RECORD_BYTES = 4096;

/** What is found where records were written one after the other. */
export interface RecordsFound {
  /** Those that are whole, from the first on without a gap. */
  readonly records: number;
  /** Whether the one behind them was begun. */
  readonly torn: boolean;
  /** Blocks behind that which hold anything: there must be none. */
  readonly beyond: number;
}
