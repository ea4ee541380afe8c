import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { configVariables, executorConfigSchema } from '../../executor/config.ts';
import { schedulerOptions } from '../../scheduler/command-line.ts';
import { readSettings, flagOf } from '../../scheduler/config-sources.ts';
import { configSchema } from '../../scheduler/config.ts';
import { marathonVariables } from '../../scheduler/marathon-variables.ts';
import { parseConfigFile } from '../../src/runtime/config-file.ts';

const page = readFileSync('docs/configuration.md', 'utf8');
/** The tables' rows as cells: how wide they are does not matter. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
const options = schedulerOptions().options.filter((option) => option.attributeName() !== 'config');

describe('every setting of the scheduler', () => {
  test('has a flag, and every flag a setting', () => {
    const settings = Object.keys(configSchema.shape).sort();
    expect(options.map((option) => option.attributeName()).sort()).toEqual(settings);
    for (const option of options) expect(option.long).toBe(flagOf(option.attributeName()));
  });

  test('is in docs/configuration.md with the words of --help', () => {
    for (const option of options) {
      expect(rows).toContainEqual([
        `\`${option.attributeName()}\``,
        `\`${option.flags}\``,
        option.description,
      ]);
    }
  });

  test('that Marathon has too is there with its variable', () => {
    for (const [variable, { setting }] of Object.entries(marathonVariables)) {
      expect(rows).toContainEqual([`\`${variable}\``, `\`${setting}\``, expect.any(String)]);
    }
  });
});

test('every setting of the executor is in docs/configuration.md with its variable', () => {
  for (const [setting, variable] of Object.entries(configVariables)) {
    expect(rows).toContainEqual([`\`${setting}\``, `\`${variable}\``, expect.any(String)]);
  }
});

/** The file with what is commented out put in force. */
function uncommented(file: string): Readonly<Record<string, unknown>> {
  const text = readFileSync(file, 'utf8').replaceAll(/^#(?=[a-z]\w*: )/gim, '');
  return parseConfigFile(file, text);
}

/** Where a setting has a default, the file shows it. */
function expectDefaults(
  shape: Readonly<Record<string, z.ZodType>>,
  shown: Readonly<Record<string, unknown>>,
): void {
  // They are what the system says at the time.
  const { hostname: _, ...fixed } = shape;
  for (const [name, schema] of Object.entries(fixed)) {
    const byDefault = schema.safeParse(undefined);
    if (byDefault.success && byDefault.data !== undefined) {
      expect([name, schema.parse(shown[name])]).toEqual([name, byDefault.data]);
    }
  }
}

describe('the annotated file', () => {
  test('of the scheduler is valid as it is, and complete with every default as it is', () => {
    expect(readSettings({ config: 'deploy/config/scheduler.yaml' }, {}).config.master).toHaveLength(3);
    const all = uncommented('deploy/config/scheduler.yaml');
    expect(Object.keys(all).sort()).toEqual(Object.keys(configSchema.shape).sort());
    expect(configSchema.safeParse(all).error).toBeUndefined();
    expectDefaults(configSchema.shape, all);
  });

  test('of the executor, too', () => {
    const all = uncommented('deploy/config/executor.yaml');
    expect(Object.keys(all).sort()).toEqual(Object.keys(configVariables).sort());
    expect(executorConfigSchema.safeParse(all).error).toBeUndefined();
    expectDefaults(executorConfigSchema.shape, all);
  });
});
