import { expect, test } from '@jest/globals';
import { CommandLine, type CommandResult } from '../support/command-line.ts';

const commands = new CommandLine();

function cli(args: readonly string[], input?: unknown): Promise<CommandResult> {
  const options = input === undefined ? {} : { input: JSON.stringify(input) };
  return commands.begin(['group', ...args], options).result;
}

const app = (id: string, instances = 0) => ({ id, instances, container: { docker: { image: 'web:1' } } });
const shop = {
  id: '/shop',
  groups: [
    { id: 'back', apps: [app('db')] },
    { id: 'front', dependencies: ['../back'], apps: [app('web', 2)] },
  ],
};
const cells = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

test('groups are created from a file, listed and shown with what runs in them', async () => {
  expect((await cli(['list'])).stdout).toMatch(/^no groups; add one with/);
  const added = await cli(['add', '-f', '-'], shop);
  expect([added.code, added.stdout]).toEqual([0, expect.stringMatching(/^created: deployment \S+\n$/)]);
  commands.api.runAll();
  expect(cells((await cli(['list'])).stdout)).toEqual([
    ['ID', 'APPS', 'RUNNING', 'DEPENDS ON', 'STATUS'],
    ['/shop', '2', '2/2', '-', 'running'],
    ['/shop/back', '1', '0/0', '-', 'suspended'],
    ['/shop/front', '1', '2/2', '/shop/back', 'running'],
  ]);
  const { stdout } = await cli(['show', '/shop/front']);
  expect(stdout).toMatch(/^\/shop\/front {2}1 apps, 2\/2 running, version 2026-/);
  expect(stdout).toContain('after /shop/back');
  expect(stdout).toMatch(/\/shop\/front\/web +2\/2 +web:1 +- +running/);
  expect(JSON.parse((await cli(['show', '/', '--json'])).stdout)).toMatchObject({
    id: '/',
    groups: [{ id: '/shop' }],
  });
});

test('an update can be tried before it is made', async () => {
  await cli(['add', '-f', '-'], shop);
  commands.api.runAll();
  const change = { apps: [app('web', 2), app('cache', 1)] };
  const tried = await cli(['update', '/shop/front', '-f', '-', '--dry-run'], change);
  expect(cells(tried.stdout)).toEqual([
    ['STEP', 'ACTION', 'APP'],
    ['1', 'StartApplication', '/shop/front/cache'],
    ['2', 'ScaleApplication', '/shop/front/cache'],
  ]);
  expect(commands.api.world.apps.size).toBe(2);
  expect((await cli(['update', '/shop/front', '-f', '-'], change)).code).toBe(0);
  expect(commands.api.world.apps.size).toBe(3);
});

test('a group is scaled, brought back to an older version and removed', async () => {
  await cli(['add', '-f', '-'], shop);
  commands.api.runAll();
  expect((await cli(['scale', '/shop', '2'])).stdout).toMatch(/^scaling by 2: deployment/);
  expect([...commands.api.world.apps.values()].map(({ instances }) => instances)).toEqual([0, 4]);
  expect((await cli(['scale', '/shop', 'double'])).code).toBe(2);
  commands.api.runAll();
  const versions = (await cli(['versions', '/shop'])).stdout.trimEnd().split('\n');
  expect(versions).toHaveLength(2);
  expect((await cli(['rollback', '/shop', versions[1]!])).code).toBe(0);
  expect([...commands.api.world.apps.values()].map(({ instances }) => instances)).toEqual([0, 2]);
  expect((await cli(['remove', '/shop', '--force'])).code).toBe(0);
  expect(cells((await cli(['list'])).stdout)).toEqual([[expect.stringMatching(/^no groups/)]]);
});

test('what is refused is said with its field, and what is not there with what to do', async () => {
  const refused = await cli(['add', '-f', '-'], { id: '/shop', apps: [app('/other/x')] });
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('/apps(0)/id: Identifier is not child of'),
  ]);
  const missing = await cli(['show', '/nowhere']);
  expect([missing.code, missing.stderr]).toEqual([4, expect.stringContaining('`patchpanel group list`')]);
});

test('an update of apps that a deployment holds exits with 5', async () => {
  await cli(['add', '-f', '-'], shop);
  expect((await cli(['scale', '/shop', '2'])).code).toBe(5);
});
