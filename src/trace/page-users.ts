/**
 * Who used which page and how much: one record per (page, user) that occurs, a user being a thread or a node.
 * An open-addressing table in typed arrays, so it holds any number of users per page and no object per record.
 * Records are numbered in the order of first touch: the first of a page is its first toucher.
 */
export class PageUsers {
  private recordCount = 0;
  /** Hash → record + 1; 0 is free. A power of two, at most half full. */
  private table = new Uint32Array(2 ** 13);
  page = new Uint32Array(2 ** 12);
  user = new Uint16Array(2 ** 12);
  accesses = new Float64Array(2 ** 12);
  misses = new Float64Array(2 ** 12);
  /** Misses from some row on: whoever fills the table says which. */
  lateMisses = new Float64Array(2 ** 12);
  writes = new Float64Array(2 ** 12);

  get size(): number {
    return this.recordCount;
  }

  /** Number of the record of `page` and `user`, made when they meet for the first time. */
  record(page: number, user: number): number {
    const { table } = this;
    const mask = table.length - 1;
    let slot = hash(page, user) & mask;
    for (;;) {
      const record = table[slot] - 1;
      if (record < 0) return this.add(slot, page, user);
      if (this.page[record] === page && this.user[record] === user) return record;
      slot = (slot + 1) & mask;
    }
  }

  private add(slot: number, page: number, user: number): number {
    const record = this.recordCount++;
    this.page[record] = page;
    this.user[record] = user;
    this.table[slot] = record + 1;
    if (this.recordCount === this.page.length) this.grow();
    return record;
  }

  private grow(): void {
    const capacity = this.page.length * 2;
    this.page = copyInto(new Uint32Array(capacity), this.page);
    this.user = copyInto(new Uint16Array(capacity), this.user);
    this.accesses = copyInto(new Float64Array(capacity), this.accesses);
    this.misses = copyInto(new Float64Array(capacity), this.misses);
    this.lateMisses = copyInto(new Float64Array(capacity), this.lateMisses);
    this.writes = copyInto(new Float64Array(capacity), this.writes);
    const mask = capacity * 2 - 1;
    this.table = new Uint32Array(capacity * 2);
    for (let record = 0; record < this.recordCount; record++) {
      let slot = hash(this.page[record], this.user[record]) & mask;
      while (this.table[slot] !== 0) slot = (slot + 1) & mask;
      this.table[slot] = record + 1;
    }
  }
}

/** Is record `a` the page's greater user than `b`: more misses, then more accesses, then the lower number? */
export function usesMore(users: PageUsers, a: number, b: number): boolean {
  if (users.misses[a] !== users.misses[b]) return users.misses[a] > users.misses[b];
  if (users.accesses[a] !== users.accesses[b]) return users.accesses[a] > users.accesses[b];
  return users.user[a] < users.user[b];
}

function hash(page: number, user: number): number {
  const mixed = Math.imul(page, 0x9e3779b1) ^ Math.imul(user + 1, 0x85ebca77);
  return mixed ^ (mixed >>> 15);
}

function copyInto<Column extends Uint16Array | Uint32Array | Float64Array>(larger: Column, column: Column): Column {
  larger.set(column);
  return larger;
}
