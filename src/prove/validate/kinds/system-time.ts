import { defineKind } from '../kind.js';

export const systemTimeKind = defineKind({
  name: 'system-time',
  about: 'system time of a program under automatic migration: what scanning its areas adds',
  y: ['time', 'ratio'],
  yMeans: 'system time, or (unit % or ratio) the surcharge over baseS',
  x: null,
  parameters: {
    baseS: { about: 'system time without automatic migration', unit: 's', form: 'number', isRequired: true },
    areasScanned: { about: 'areas (VMAs) scanned in the run', unit: '', form: 'number', isRequired: true },
    perAreaUs: { about: 'cost of scanning an area, its pages and faults included', unit: 'us', form: 'number' },
    likeSurchargeS: {
      about: 'instead of perAreaUs: what another run paid more',
      unit: 's',
      form: 'number',
      initial: 0,
    },
    likeAreasScanned: { about: 'for how many areas', unit: '', form: 'number', initial: 1 },
  },
  compute(values, dimension) {
    const perAreaS = values.has('perAreaUs')
      ? values.number('perAreaUs') / 1e6
      : values.number('likeSurchargeS') / values.number('likeAreasScanned');
    const baseS = values.number('baseS');
    const surchargeS = values.number('areasScanned') * perAreaS;
    return dimension === 'ratio' ? surchargeS / baseS : (baseS + surchargeS) * 1e9;
  },
});
