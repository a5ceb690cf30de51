import { defineBalancer, numaBalancing, SCAN_OPTIONS } from '../../src/policy/index.js';

/** Mainline's NUMA balancing, kernel.numa_balancing = 1: pages follow the tasks that use them, by hint faults. */
export default defineBalancer({
  name: 'normal',
  about: "the kernel's NUMA balancing: pages follow the tasks whose hint faults they take",
  source: 'kernel/sched/fair.c, mm/memory.c, Linux 6.1 and 6.12 (by profile)',
  options: SCAN_OPTIONS,
  create: (context) => numaBalancing(context, { normal: true, tiering: false }),
});
