import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { cleanCluster } from '../../src/devcluster/cleanup.ts';
import { processesOfCluster } from '../../src/devcluster/processes.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { emptyPicture, pictureOf, uniqueClusterName } from '../support/machine.ts';

const program = path.resolve(import.meta.dirname, '../../dist/demo.js');

let name = '';
let child: ChildProcess | undefined;
let said = '';

afterEach(async () => {
  child?.kill('SIGKILL');
  await cleanCluster(name, createLogger('test', 'warn'));
});

function startDemo(): void {
  name = uniqueClusterName();
  said = '';
  child = spawn(process.execPath, [program, '--name', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      child?.emit('said');
    });
}

async function ended(): Promise<{ readonly code: number; readonly said: string }> {
  const [code] = (await once(child!, 'close')) as [number];
  return { code, said };
}

async function expectNothingLeft(): Promise<void> {
  expect(await pictureOf([`${name}-`, `/var/lib/patchpanel-dev/${name}/`])).toEqual(emptyPicture);
  expect(await processesOfCluster(name)).toEqual([]);
}

test('the demo does every step, ends with 0 and leaves nothing', async () => {
  startDemo();
  const { code, said: output } = await ended();
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toContain('all of it is removed');
  expect(output.match(/^== /gm)?.length).toBeGreaterThanOrEqual(6);
  await expectNothingLeft();
}, 180_000);

test('the demo that is interrupted while apps run ends with 130 and leaves nothing', async () => {
  startDemo();
  while ((said.match(/^== /gm)?.length ?? 0) < 3) {
    if (child?.exitCode !== null) throw new Error(`the demo ended early: ${said}`);
    await Promise.race([once(child, 'said'), once(child, 'exit')]);
  }
  child?.kill('SIGINT');
  expect(await ended()).toMatchObject({ code: 130 });
  await expectNothingLeft();
}, 180_000);
