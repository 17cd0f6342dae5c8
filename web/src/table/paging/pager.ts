/** Rows of a long list, fetched page by page where they are visible, and at most `maxPages` of them held. */

export interface FetchedPage<T> {
  rows: T[];
  /** Rows that can be scrolled to, as far as is known. */
  rowCount: number;
  /** Rows of the whole list; null where the server does not say. */
  total: number | null;
  /** Whether any host reported. */
  isKnown: boolean;
  /** The instant that the answer is of; null for a window. */
  at: number | null;
}

export type FetchPage<T> = (page: number, signal: AbortSignal) => Promise<FetchedPage<T>>;

export interface PagerOptions {
  pageSize: number;
  /** Most pages that are kept; those farthest from the visible one go first. */
  maxPages: number;
  /** A page is fetched once it has been visible for this long: pages that are scrolled past are not wanted. */
  settleMs: number;
}

export const PAGER_OPTIONS: PagerOptions = { pageSize: 100, maxPages: 80, settleMs: 70 };

export class Pager<T> {
  /** null until the first page is there. */
  rowCount: number | null = null;
  total: number | null = null;
  isKnown = true;
  at: number | null = null;
  error: Error | null = null;
  private readonly pages = new Map<number, T[]>();
  private readonly inFlight = new Map<number, AbortController>();
  private wanted: number[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  constructor(
    private readonly fetchPage: FetchPage<T>,
    private readonly onChange: () => void,
    private readonly options: PagerOptions = PAGER_OPTIONS,
  ) {}

  /** Fetches these rows, both ends included; calls for other pages are cancelled. */
  show(first: number, last: number): void {
    if (this.isClosed) return;
    const { pageSize, settleMs } = this.options;
    const end = this.rowCount === null ? last : Math.min(last, Math.max(0, this.rowCount - 1));
    this.wanted = [];
    for (let page = Math.floor(Math.max(0, first) / pageSize); page <= Math.floor(end / pageSize); page += 1) {
      this.wanted.push(page);
    }
    for (const [page, controller] of this.inFlight) {
      if (this.wanted.includes(page)) continue;
      this.inFlight.delete(page);
      controller.abort();
    }
    clearTimeout(this.timer);
    if (!this.wanted.some((page) => this.isMissing(page))) return;
    if (this.rowCount === null) this.fetchMissing();
    else this.timer = setTimeout(() => this.fetchMissing(), settleMs);
  }

  row(index: number): T | undefined {
    const { pageSize } = this.options;
    return this.pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  }

  /** All that are held, in no order. */
  items(): T[] {
    return [...this.pages.values()].flat();
  }

  get isLoading(): boolean {
    return this.inFlight.size > 0;
  }

  /** Whether all wanted pages have come. */
  get isReady(): boolean {
    return this.rowCount !== null && this.wanted.every((page) => this.pages.has(page) || this.isBeyond(page));
  }

  get heldPages(): number {
    return this.pages.size;
  }

  retry(): void {
    this.error = null;
    this.fetchMissing();
    this.onChange();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.inFlight.forEach((controller) => controller.abort());
    this.inFlight.clear();
  }

  private isBeyond(page: number): boolean {
    return this.rowCount !== null && page * this.options.pageSize >= this.rowCount;
  }

  private isMissing(page: number): boolean {
    return !this.pages.has(page) && !this.inFlight.has(page) && !this.isBeyond(page);
  }

  private fetchMissing(): void {
    for (const page of this.wanted) {
      if (this.isMissing(page)) void this.fetch(page);
    }
    this.onChange();
  }

  private async fetch(page: number): Promise<void> {
    const controller = new AbortController();
    this.inFlight.set(page, controller);
    try {
      const fetched = await this.fetchPage(page, controller.signal);
      if (controller.signal.aborted) return;
      this.pages.set(page, fetched.rows);
      this.rowCount = fetched.rowCount;
      this.total = fetched.total;
      this.isKnown = fetched.isKnown;
      this.at = fetched.at;
      this.error = null;
      this.forgetFarthest(page);
    } catch (error) {
      if (controller.signal.aborted) return;
      this.error = error instanceof Error ? error : new Error(String(error));
    }
    this.inFlight.delete(page);
    this.onChange();
  }

  private forgetFarthest(around: number): void {
    if (this.pages.size <= this.options.maxPages) return;
    const centre = this.wanted[0] ?? around;
    const [farthest] = [...this.pages.keys()].sort((a, b) => Math.abs(b - centre) - Math.abs(a - centre));
    if (farthest !== undefined) this.pages.delete(farthest);
  }
}
