#!/usr/bin/env node
// Builds everything that runs: `node deploy/build.mjs [--only generate|programs|executor]`.
// Type checking is a separate step (`npm run typecheck`); esbuild only strips the types.
import { parseArgs } from 'node:util';
import { buildExecutorBundle } from './build/executor-bundle.mjs';
import { generate } from './build/generate.mjs';
import { buildPrograms } from './build/programs.mjs';

const steps = {
  generate: { title: 'code from proto/*.proto', run: generate },
  programs: { title: 'programs', run: buildPrograms },
  executor: { title: 'executor bundle', run: buildExecutorBundle },
};

const { values } = parseArgs({ options: { only: { type: 'string' } } });
if (values.only !== undefined && !(values.only in steps)) {
  console.error(`build: no step ${values.only}; the steps are ${Object.keys(steps).join(', ')}`);
  process.exit(2);
}

for (const [name, step] of Object.entries(steps)) {
  if (values.only !== undefined && values.only !== name) continue;
  const started = performance.now();
  const result = await step.run();
  console.log(`build: ${step.title}: ${result} (${Math.round(performance.now() - started)} ms)`);
}
