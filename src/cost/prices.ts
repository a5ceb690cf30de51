import { FaultKind, type CostModel } from './cost-model.js';
import { Meter, type Prices } from './meter.js';
import { asNodeId } from '../units.js';

/** A meter that pays what `model` says, on a machine of `nodeCount` nodes. */
export function makeMeter(model: CostModel, nodeCount: number): Meter {
  const nodes = Array.from({ length: nodeCount }, (_, node) => asNodeId(node));
  const copyNs = nodes.map((from) => nodes.map((to) => model.copyNs(from, to)));
  return new Meter(pricesOf(model), copyNs, nodeCount);
}

/** What the engine pays, ns. */
export function pricesOf(model: CostModel): Prices {
  return {
    zeroPageFault: model.faultNs(FaultKind.zeroPage),
    anonFault: model.faultNs(FaultKind.anon),
    clearPage: model.zeroingNs,
    fileFault: model.faultNs(FaultKind.fileMinor),
    shmemFault: model.faultNs(FaultKind.anon),
    swapCacheFault: model.faultNs(FaultKind.swapCache),
    cowFault: model.faultNs(FaultKind.cow),
    zeroPageWriteFault: model.faultNs(FaultKind.zeroPageWrite),
    writeInPlace: model.faultNs(FaultKind.writeInPlace),
    deviceRead: model.swapReadNs,
    deviceWrite: model.writebackNs,
    deviceNext: model.deviceNextNs,
    checkPage: model.scanPageNs,
    givenUpMove: model.unmapPageNs,
    movePage: model.migratePageNs,
    moveHuge: model.migrateHugeNs,
    restOfMove: Math.max(0, model.migratePageNs - model.unmapPageNs),
    restOfHugeMove: Math.max(0, model.migrateHugeNs - model.unmapPageNs),
    unmapPage: model.unmapPageNs,
    moveCall: model.migrateCallNs,
    shootdown: model.shootdownNs(1),
    shootdownFurther: model.shootdownNs(2) - model.shootdownNs(1),
    fileCall: model.fileCallNs,
    scanPage: model.scanPageNs,
  };
}
