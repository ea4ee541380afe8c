#!/usr/bin/env node
// Builds everything that runs: `node deploy/build.mjs [--only generate|executor|programs|image]`. The image, which is made of
// the rest, only when it is asked for.
// Type checking is a separate step (`npm run typecheck`); esbuild only strips the types.
import { parseArgs } from 'node:util';
import { buildExecutorBundle } from './build/executor-bundle.mjs';
import { generate } from './build/generate.mjs';
import { buildImage } from './build/image.mjs';
import { buildPrograms } from './build/programs.mjs';

const steps = {
  generate: { title: 'code from proto/*.proto', run: generate },
  executor: { title: 'executor bundle', run: buildExecutorBundle },
  programs: { title: 'programs', run: buildPrograms },
  image: { title: 'image', run: buildImage, onlyWhenAsked: true },
};

const { values } = parseArgs({ options: { only: { type: 'string' } } });
if (values.only !== undefined && !(values.only in steps)) {
  console.error(`build: no step ${values.only}; the steps are ${Object.keys(steps).join(', ')}`);
  process.exit(2);
}

for (const [name, step] of Object.entries(steps)) {
  if (values.only === undefined ? step.onlyWhenAsked === true : values.only !== name) continue;
  const started = performance.now();
  const result = await step.run().catch((error) => fail(step.title, error));
  console.log(`build: ${step.title}: ${String(result)} (${Math.round(performance.now() - started)} ms)`);
}

/** esbuild has shown its errors already; of anything else the stack is of use. */
function fail(title, error) {
  console.error(`build: ${title} failed`);
  if (!Array.isArray(error.errors)) console.error(error);
  process.exit(1);
}
