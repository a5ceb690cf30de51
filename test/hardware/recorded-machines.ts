/**
 * Eight machines with the fallback rows that Linux 6.1 printed at boot, on virtual machines with these distances. Linux
 * 6.12 printed the same rows once nodes without memory are dropped (it differs on `memless` alone).
 */
export interface RecordedMachine {
  readonly name: string;
  /** Per node: CPUs and 4 KiB pages. */
  readonly nodes: readonly { readonly cpus: readonly number[]; readonly pages: number }[];
  readonly distance: readonly (readonly number[])[];
  readonly fallback: readonly (readonly number[])[];
}

export const RECORDED_MACHINES: readonly RecordedMachine[] = [
  {
    name: 'quad',
    nodes: [
      { cpus: [0], pages: 68701 },
      { cpus: [1], pages: 32150 },
      { cpus: [2], pages: 32150 },
      { cpus: [3], pages: 32096 },
    ],
    distance: [
      [10, 16, 22, 28],
      [16, 10, 28, 22],
      [22, 28, 10, 16],
      [28, 22, 16, 10],
    ],
    fallback: [
      [0, 1, 2, 3],
      [1, 0, 3, 2],
      [2, 3, 0, 1],
      [3, 2, 1, 0],
    ],
  },
  {
    name: 'dual',
    nodes: [
      { cpus: [0, 1], pages: 68639 },
      { cpus: [2, 3], pages: 48418 },
    ],
    distance: [
      [10, 21],
      [21, 10],
    ],
    fallback: [
      [0, 1],
      [1, 0],
    ],
  },
  {
    name: 'quadasym',
    nodes: [
      { cpus: [0], pages: 68701 },
      { cpus: [1], pages: 32150 },
      { cpus: [2], pages: 32150 },
      { cpus: [3], pages: 32096 },
    ],
    distance: [
      [10, 30, 20, 25],
      [14, 10, 12, 40],
      [25, 30, 10, 20],
      [20, 21, 22, 10],
    ],
    fallback: [
      [0, 2, 3, 1],
      [1, 2, 0, 3],
      [2, 3, 0, 1],
      [3, 0, 1, 2],
    ],
  },
  {
    name: 'quadflat',
    nodes: [
      { cpus: [0], pages: 68701 },
      { cpus: [1], pages: 32150 },
      { cpus: [2], pages: 32150 },
      { cpus: [3], pages: 32096 },
    ],
    distance: [
      [10, 20, 20, 20],
      [20, 10, 20, 20],
      [20, 20, 10, 20],
      [20, 20, 20, 10],
    ],
    fallback: [
      [0, 1, 2, 3],
      [1, 2, 3, 0],
      [2, 3, 0, 1],
      [3, 0, 1, 2],
    ],
  },
  {
    name: 'memless',
    nodes: [
      { cpus: [0], pages: 68701 },
      { cpus: [1], pages: 0 },
      { cpus: [2], pages: 32150 },
      { cpus: [3], pages: 31991 },
    ],
    distance: [
      [10, 15, 20, 20],
      [15, 10, 30, 12],
      [20, 30, 10, 20],
      [20, 12, 20, 10],
    ],
    fallback: [
      [0, 2, 3],
      [1, 3, 0, 2],
      [2, 3, 0],
      [3, 0, 2],
    ],
  },
  {
    name: 'cxl',
    nodes: [
      { cpus: [0], pages: 68701 },
      { cpus: [1], pages: 32150 },
      { cpus: [], pages: 48542 },
    ],
    distance: [
      [10, 21, 17],
      [21, 10, 28],
      [17, 28, 10],
    ],
    fallback: [
      [0, 2, 1],
      [1, 0, 2],
      [2, 0, 1],
    ],
  },
  {
    name: 'cxlflat',
    nodes: [
      { cpus: [0], pages: 68701 },
      { cpus: [1], pages: 32150 },
      { cpus: [2], pages: 32096 },
      { cpus: [], pages: 32212 },
    ],
    distance: [
      [10, 20, 20, 20],
      [20, 10, 20, 20],
      [20, 20, 10, 20],
      [20, 20, 20, 10],
    ],
    fallback: [
      [0, 1, 2, 3],
      [1, 2, 3, 0],
      [2, 3, 0, 1],
      [3, 0, 1, 2],
    ],
  },
  {
    name: 'octo',
    nodes: [
      { cpus: [0], pages: 68701 },
      { cpus: [1], pages: 17814 },
      { cpus: [2], pages: 18327 },
      { cpus: [3], pages: 17814 },
      { cpus: [4], pages: 18327 },
      { cpus: [5], pages: 17814 },
      { cpus: [6], pages: 18327 },
      { cpus: [7], pages: 17760 },
    ],
    distance: [
      [10, 16, 16, 22, 16, 22, 22, 28],
      [16, 10, 22, 16, 22, 16, 28, 22],
      [16, 22, 10, 16, 22, 28, 16, 22],
      [22, 16, 16, 10, 28, 22, 22, 16],
      [16, 22, 22, 28, 10, 16, 16, 22],
      [22, 16, 28, 22, 16, 10, 22, 16],
      [22, 28, 16, 22, 16, 22, 10, 16],
      [28, 22, 22, 16, 22, 16, 16, 10],
    ],
    fallback: [
      [0, 1, 2, 4, 3, 5, 6, 7],
      [1, 5, 3, 0, 2, 4, 7, 6],
      [2, 3, 6, 0, 4, 7, 1, 5],
      [3, 7, 1, 2, 6, 5, 0, 4],
      [4, 5, 6, 0, 7, 1, 2, 3],
      [5, 7, 1, 4, 6, 0, 3, 2],
      [6, 7, 2, 4, 0, 3, 5, 1],
      [7, 3, 5, 6, 1, 2, 4, 0],
    ],
  },
];
