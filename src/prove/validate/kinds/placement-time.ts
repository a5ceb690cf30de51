import { cannot, defineKind } from '../kind.js';
import { LOCAL_GBS, LOCAL_NS, REMOTE_GBS, REMOTE_NS } from './memory-parameters.js';

export const placementTimeKind = defineKind({
  name: 'placement-time',
  about: 'a whole program that waits for memory, by the share of its accesses that are remote',
  y: ['time', 'ratio'],
  yMeans: 'elapsed time, or (unit ratio) that over the time with all memory local',
  x: 'remoteShare',
  parameters: {
    remoteShare: { about: 'share of remote accesses, 0 to 1; 0.5 is chance on two nodes', unit: '', form: 'number' },
    localShare: { about: 'instead of remoteShare: 1 less that', unit: '', form: 'number' },
    localS: { about: 'time with all memory local', unit: 's', form: 'number' },
    remoteS: { about: 'time with all memory remote', unit: 's', form: 'number' },
    remoteOverLocal: {
      about:
        'instead of remoteS: that time over localS; if left out, the one of the like program, else what boundBy says',
      unit: '',
      form: 'number',
    },
    boundBy: {
      about: 'what makes all-remote slower if nothing else says: idle latencies, or bandwidths',
      unit: '',
      form: 'text',
      words: ['latency', 'bandwidth'],
      initial: 'latency',
    },
    memoryShare: {
      about: 'share of the local time that waits for memory; counts with boundBy alone',
      unit: '',
      form: 'number',
      initial: 1,
    },
    imbalance: {
      about:
        'how many times as long as the mean a mixed placement takes, since the slowest thread counts; if left out, that of the like program',
      unit: '',
      form: 'number',
    },
    likeLocalS: { about: 'the like program: a run on the same machine, all local', unit: 's', form: 'number' },
    likeRemoteS: { about: 'the like program, all remote', unit: 's', form: 'number' },
    likeMixedS: { about: 'the like program, mixed: half of its accesses remote', unit: 's', form: 'number' },
    localNs: LOCAL_NS,
    remoteNs: REMOTE_NS,
    localGbs: LOCAL_GBS,
    remoteGbs: REMOTE_GBS,
  },
  compute(values, dimension) {
    const maybe = (name: string) => (values.has(name) ? values.number(name) : null);
    const over = (above: string, below: string) =>
      values.has(above) && values.has(below) ? values.number(above) / values.number(below) : null;
    const share = values.has('localShare') ? 1 - values.number('localShare') : maybe('remoteShare');
    if (share === null || share < 0 || share > 1) return cannot('no share of remote accesses from 0 to 1 is given');
    const ofMachine = () => {
      const slower =
        values.text('boundBy') === 'bandwidth' ? over('localGbs', 'remoteGbs') : over('remoteNs', 'localNs');
      return slower === null ? null : 1 + values.number('memoryShare') * (slower - 1);
    };
    const ratio =
      share === 0
        ? 1
        : (over('remoteS', 'localS') ?? maybe('remoteOverLocal') ?? over('likeRemoteS', 'likeLocalS') ?? ofMachine());
    if (ratio === null)
      return cannot(
        'nothing says how much slower all-remote is: remoteS, remoteOverLocal, a like program, latencies or bandwidths',
      );
    const mean = 1 + share * (ratio - 1);
    const slowed =
      share > 0 && share < 1 ? mean * (maybe('imbalance') ?? imbalanceOf(values.has, values.number)) : mean;
    if (dimension === 'ratio') return slowed;
    const localS = maybe('localS');
    return localS === null ? cannot('the parameter localS (s) is not given') : slowed * localS * 1e9;
  },
});

function imbalanceOf(has: (name: string) => boolean, number: (name: string) => number): number {
  if (!['likeLocalS', 'likeRemoteS', 'likeMixedS'].every(has)) return 1;
  return number('likeMixedS') / ((number('likeLocalS') + number('likeRemoteS')) / 2);
}
