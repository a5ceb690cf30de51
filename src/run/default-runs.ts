/** What `mof compare` runs when no RUN is given: the four policies, and what migrate-on-fault would bring. */
export function defaultRuns(trace: { readonly mapsFiles: boolean }): string[] {
  const runs = ['default', 'bind=all', 'interleave=all', 'preferred=all', 'default+lazy@threads'];
  return trace.mapsFiles ? [...runs, 'default+hooks=on'] : runs;
}
