import { defineBalancer, numaBalancing, SCAN_OPTIONS, TIERING_OPTIONS } from '../../src/policy/index.js';

/** Mainline's memory tiering, kernel.numa_balancing = 2: slow pages that are used soon after they were marked come up. */
export default defineBalancer({
  name: 'tiering',
  about: "the kernel's memory tiering: hot pages of a slower tier are promoted, within a rate",
  source: 'kernel/sched/fair.c, mm/memory.c, Linux 6.1 and 6.12; Huang Ying, memory tiering series, 2021',
  reclaimsToPromo: true,
  options: {
    ...SCAN_OPTIONS,
    ...TIERING_OPTIONS,
    normal: { about: 'pages of the fast tier follow their users too (mode 3)', kind: 'boolean', initial: false },
  },
  create: (context) => numaBalancing(context, { normal: context.options.normal === true, tiering: true }),
});
