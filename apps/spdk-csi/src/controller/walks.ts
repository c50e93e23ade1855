import { type Page, type PageRequest, paginate } from "@org/csi-framework";

/** A list is kept for whoever reads it page by page for so long after a page, and so many of them. */
const KEPT_MS = 60_000;
const MAX_KEPT = 32;

/** Lists that are read page by page: made once, not for every page. */
export class Walks<T> {
  readonly #key: (item: T) => string;
  readonly #now: () => number;
  /** By the token of the next page and the filter. */
  readonly #kept = new Map<string, { readonly items: readonly T[]; readonly until: number }>();

  constructor(key: (item: T) => string, now: () => number = () => performance.now()) {
    this.#key = key;
    this.#now = now;
  }

  /**
   * The page that is asked for. A token whose list is no longer kept, or was handed out for another `filter`, goes on in a
   * list made anew.
   */
  async page(request: PageRequest, list: () => Promise<readonly T[]>, filter = ""): Promise<Page<T>> {
    const kept = this.#kept.get(request.startingToken + filter);
    const items = kept !== undefined && kept.until > this.#now() ? kept.items : await list();
    const page = paginate(items, request, { key: this.#key });
    if (page.nextToken !== "") this.#keep(page.nextToken + filter, items);
    return page;
  }

  #keep(key: string, items: readonly T[]): void {
    this.#kept.delete(key);
    this.#kept.set(key, { items, until: this.#now() + KEPT_MS });
    for (const [old, { until }] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT && until > this.#now()) break;
      this.#kept.delete(old);
    }
  }
}
