import { pageCount, type TraceSource } from '../../trace/index.js';

/** What a pass over the trace says about the memory it needs. */
export interface TouchedPages {
  /** Different pages with a row. */
  readonly touched: number;
  /** The most pages of private memory that are alive at once: what cannot be dropped without swap. */
  readonly peakPrivate: number;
}

/** Counts touched pages, and private pages alive, with what exits and unmappings give back. */
export async function countTouchedPages(source: TraceSource): Promise<TouchedPages> {
  const { sidecar } = source;
  const pages = pageCount(sidecar);
  const seen = new Uint8Array(pages);
  const alive = new Uint8Array(pages);
  const isPrivate = new Uint8Array(pages);
  const ofProcess = new Map<number, [number, number][]>();
  for (const region of sidecar.regions) {
    if (region.kind === 'file') continue;
    isPrivate.fill(1, region.first_page, region.first_page + region.pages);
    const list = ofProcess.get(region.process) ?? [];
    list.push([region.first_page, region.pages]);
    ofProcess.set(region.process, list);
  }
  let [touched, now, peakPrivate] = [0, 0, 0];
  const free = (first: number, count: number) => {
    for (let page = first; page < first + count; page++) {
      now -= alive[page];
      alive[page] = 0;
    }
  };
  let event = 0;
  for await (const batch of source.batches()) {
    for (let i = 0; i < batch.rows; i++) {
      for (; event < sidecar.events.length && sidecar.events[event].row <= batch.firstRow + i; event++) {
        const what = sidecar.events[event];
        if (what.kind === 'unmap' || what.kind === 'discard') free(what.first_page, what.pages);
        else if (what.kind === 'exit')
          for (const [first, count] of ofProcess.get(what.process) ?? []) free(first, count);
      }
      const page = batch.page[i];
      touched += 1 - seen[page];
      seen[page] = 1;
      if (isPrivate[page] === 1 && alive[page] === 0) {
        alive[page] = 1;
        if (++now > peakPrivate) peakPrivate = now;
      }
    }
  }
  return { touched, peakPrivate };
}
