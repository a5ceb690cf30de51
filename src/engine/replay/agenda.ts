/**
 * What happens between rows: processes and threads start and end, memory is mapped and unmapped, lines are printed,
 * actions of the run are carried out. Sorted by row; at one row in the order of `Rank`.
 */
export interface AgendaItem {
  /** Carried out before this row. */
  readonly row: number;
  readonly rank: number;
  /** Frees memory: waits for the last pass when the region of interest is replayed again. */
  readonly frees?: boolean;
  carryOut(): void;
}

/** Order of things that happen before the same row: what ends first, what begins next, then who looks or acts. */
export const Rank = {
  exit: 0,
  unmap: 1,
  discard: 2,
  processStart: 3,
  map: 4,
  threadStart: 5,
  output: 6,
  mark: 7,
  action: 8,
  threadEnd: 9,
} as const;

export class Agenda {
  private items: AgendaItem[] = [];
  private at = 0;
  private sorted = false;

  add(item: AgendaItem): void {
    this.items.push(item);
    this.sorted = false;
  }

  /** Row of the next item, or Infinity. */
  get nextRow(): number {
    this.sort();
    return this.at < this.items.length ? this.items[this.at].row : Infinity;
  }

  /** Carries out everything due before `row`. */
  carryOutUntil(row: number): void {
    this.sort();
    while (this.at < this.items.length && this.items[this.at].row <= row) this.items[this.at++].carryOut();
  }

  /** What frees memory at rows between `from` and `until` happens at `until` instead. */
  postponeFrees(from: number, until: number): void {
    this.items = this.items.map((item) =>
      item.frees === true && item.row > from && item.row < until ? { ...item, row: until } : item,
    );
    this.sorted = false;
  }

  private sort(): void {
    if (this.sorted) return;
    const rest = this.items.slice(this.at).map((item, i) => ({ item, i }));
    rest.sort((a, b) => a.item.row - b.item.row || a.item.rank - b.item.rank || a.i - b.i);
    this.items = [...this.items.slice(0, this.at), ...rest.map(({ item }) => item)];
    this.sorted = true;
  }
}
