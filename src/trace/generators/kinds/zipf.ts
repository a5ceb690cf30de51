import { areaPerProcess } from '../areas.js';
import { defineKind, FIRST, PAGE_LINES, pagesEach, pagesOfProcess, ROWS, rowsEach, threadsEach } from '../kind.js';
import { decimal, whole } from '../option.js';
import { makePermutation, PERMUTATION_LIMIT } from '../permutation.js';
import { everyThread, firstTouch } from '../steps.js';
import { makeZipfRanks } from '../zipf-ranks.js';
import { OP_READ, OP_WRITE } from '../../batch.js';
import { MmError } from '../../../errors.js';
import { randomAt } from '../../../random.js';

/** Keys whose hash-table entries fill a page of the index: 16 bytes each. */
const KEYS_PER_INDEX_PAGE = 256;

/** A key-value store: each request reads a page of the index, then reads or writes the value. Popular keys lie anywhere. */
export const zipf = defineKind({
  name: 'zipf',
  about: 'a key-value store whose keys are asked for with zipf popularity',
  options: {
    first: FIRST,
    rows: ROWS,
    theta: decimal('skew: key number k is asked for in proportion to k^-theta', '0.99', 0, 8),
    reads: decimal('share of requests that only read', '0.95', 0, 1),
    lines: whole('cache lines of a value: 64 / lines of them fill a page', '16', 1, PAGE_LINES),
  },
  plan(values) {
    const { lines, seed } = values;
    const each = pagesEach(values);
    const valuePages = pagesOfProcess(values, each);
    const perPage = Math.floor(PAGE_LINES / lines);
    const keys = valuePages * perPage;
    if (keys > PERMUTATION_LIMIT)
      throw new MmError(
        'BAD_OPTION',
        `${String(keys)} keys in a process are too many; give lines=${String(PAGE_LINES)}, a smaller size or more processes`,
      );
    const indexEach = Math.ceil(keys / KEYS_PER_INDEX_PAGE / threadsEach(values));
    const indexPages = pagesOfProcess(values, indexEach);
    const firstIndexPage = valuePages * values.processes;
    const rankOf = makeZipfRanks(keys, values.theta);
    const keyOf = makePermutation(keys, randomAt(seed, 0));
    const bucketOf = makePermutation(keys, randomAt(seed, 1));
    const readLimit = values.reads * 2 ** 32;
    return {
      areas: [
        ...areaPerProcess('values', values.processes, valuePages),
        ...areaPerProcess('index', values.processes, indexPages),
      ],
      phases: [
        ...firstTouch(values, 0, each, values.first),
        ...firstTouch(values, firstIndexPage, indexEach, values.first, 'init done'),
        {
          ...everyThread(values),
          units: Math.ceil(rowsEach(values.rows, values.threads) / 2),
          rowsPerUnit: 2,
          write(out, at, rows, turn) {
            const firstRequest = (turn.rowOfQuantum - turn.rowOfUnit) / 2;
            let isValue = turn.rowOfUnit === 1;
            let request = firstRequest;
            let draw = randomAt(turn.seed, request);
            let rank = rankOf(draw);
            for (let i = at; i < at + rows; i++) {
              if (isValue) {
                out.page[i] = turn.process * valuePages + Math.floor(keyOf(rank) / perPage);
                out.op[i] = randomAt(draw, -1) < readLimit ? OP_READ : OP_WRITE;
                out.count[i] = out.miss[i] = lines;
                if (i + 1 < at + rows) {
                  draw = randomAt(turn.seed, ++request);
                  rank = rankOf(draw);
                }
              } else {
                out.page[i] =
                  firstIndexPage + turn.process * indexPages + Math.floor(bucketOf(rank) / KEYS_PER_INDEX_PAGE);
                out.op[i] = OP_READ;
                out.count[i] = out.miss[i] = 1;
              }
              isValue = !isValue;
            }
          },
        },
      ],
    };
  },
});
