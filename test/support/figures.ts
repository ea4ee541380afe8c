/** Prints a measured time when PATCHPANEL_FIGURES is set; tests assert that things happen, not how fast. */
export function measured(what: string, ms: number): void {
  if (process.env['PATCHPANEL_FIGURES'] === undefined) return;
  process.stderr.write(`measured: ${what}: ${Math.round(ms)} ms\n`);
}
