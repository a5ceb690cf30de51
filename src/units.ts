/**
 * The units of the model as branded numbers: an id is not an index is not a count.
 * A brand exists only for the compiler; at run time every one of them is a plain small integer
 * (`Vpn` and `Ns` excepted: 36 bits and fractions need a double).
 */
declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** Page frame number: 0 is "no frame", real frames start above the list heads. Below 2^28. */
export type Pfn = Branded<'Pfn'>;
/** One page of one address space: the place of its page-table entry, dense, below 2^31. */
export type PageId = Branded<'PageId'>;
/** NUMA node, 0 ≤ node < nodeCount; -1 is "no node". */
export type NodeId = Branded<'NodeId'>;
/** Logical CPU, 0 ≤ cpu < cpuCount. */
export type CpuId = Branded<'CpuId'>;
/** Slot of the swap area; 0 is "no slot". */
export type SwapSlot = Branded<'SwapSlot'>;

const asPfn = (value: number): Pfn => value as Pfn;
export const asPageId = (value: number): PageId => value as PageId;
export const asNodeId = (value: number): NodeId => value as NodeId;
export const asCpuId = (value: number): CpuId => value as CpuId;
const asSwapSlot = (value: number): SwapSlot => value as SwapSlot;

export const NO_PFN = asPfn(0);
export const NO_PAGE = asPageId(-1);
export const NO_NODE = asNodeId(-1);
export const NO_SLOT = asSwapSlot(0);

export const PAGE_SHIFT = 12;
export const PAGE_BYTES = 4096;
