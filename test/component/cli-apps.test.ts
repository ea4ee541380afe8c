import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AppInfo, TaskInfo } from '../../src/cli/api-types.ts';
import { taskId } from '../../src/model/ids.ts';
import { webApp } from '../support/api.ts';
import { CommandLine, type CommandResult } from '../support/command-line.ts';

const commands = new CommandLine();
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'pp-cli-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const cli = (...args: string[]): Promise<CommandResult> => commands.run(...args);

async function fileWith(json: unknown): Promise<string> {
  const file = path.join(directory, 'app.json');
  await writeFile(file, JSON.stringify(json));
  return file;
}

/** The app in the scheduler's own words. */
async function appOf(id: string): Promise<AppInfo> {
  return (await commands.api.call<{ app: AppInfo }>('GET', `/v2/apps${id}`)).body.app;
}

async function addRunning(app: Record<string, unknown> = webApp): Promise<void> {
  const { status } = await commands.api.call('POST', '/v2/apps', app);
  expect(status).toBe(201);
  commands.api.runAll();
}

describe('app add', () => {
  test('takes a file and names the deployment', async () => {
    const { code, stdout } = await cli('app', 'add', '-f', await fileWith(webApp));
    expect(code).toBe(0);
    const [deployment] = (await appOf('/shop/web')).deployments;
    expect(stdout).toBe(`created: deployment ${deployment?.id}\n`);
  });

  test('takes standard input', async () => {
    const input = JSON.stringify({ ...webApp, id: '/piped' });
    const run = commands.begin(['app', 'add', '-f', '-', '--json'], { input });
    const { code, stdout } = await run.result;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id: '/piped', instances: 2 });
    expect(await appOf('/piped')).toMatchObject({ instances: 2 });
  });

  test('takes several apps in one file', async () => {
    const { code } = await cli(
      'app',
      'add',
      '-f',
      await fileWith([
        { ...webApp, id: '/a' },
        { ...webApp, id: '/b' },
      ]),
    );
    expect(code).toBe(0);
    expect((await appOf('/a')).instances + (await appOf('/b')).instances).toBe(4);
  });

  test('of a file that is not there, or not JSON, is wrong usage and names the file', async () => {
    const missing = await cli('app', 'add', '-f', '/nowhere/app.json');
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toBe('patchpanel: cannot read /nowhere/app.json: there is no such file\n');
    const run = commands.begin(['app', 'add', '-f', '-'], { input: '{"id": ' });
    const garbage = await run.result;
    expect(garbage.code).toBe(2);
    expect(garbage.stderr).toContain('standard input is not JSON');
  });

  test('with a wrong field fails with the path of the field and the reason', async () => {
    const { code, stderr } = await cli('app', 'add', '-f', await fileWith({ ...webApp, instances: -1 }));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^patchpanel: .+\n {2}\/instances: it is too small \(error\.min\)\n$/);
  });

  test('of an id that exists is a conflict in the words of the scheduler', async () => {
    await addRunning();
    const { code, stderr } = await cli('app', 'add', '-f', await fileWith(webApp));
    expect(code).toBe(5);
    expect(stderr).toContain('An app with id [/shop/web] already exists.');
  });

  test('of several of which one exists creates none, changes none and names it', async () => {
    await addRunning();
    const definitions = [
      { ...webApp, id: '/new' },
      { ...webApp, instances: 9 },
    ];
    const { code, stdout, stderr } = await cli('app', 'add', '-f', await fileWith(definitions), '--force');
    expect([code, stdout]).toEqual([5, '']);
    expect(stderr).toContain('these exist already: /shop/web;');
    expect(stderr).toContain('patchpanel app update');
    expect((await appOf('/shop/web')).instances).toBe(2);
    expect((await commands.api.call('GET', '/v2/apps/new')).status).toBe(404);
  });
});

describe('app list and show', () => {
  test('say what to do when there are no apps', async () => {
    const { code, stdout } = await cli('app', 'list');
    expect([code, stdout]).toEqual([0, 'no apps; add one with `patchpanel app add -f app.json`\n']);
  });

  test('list in a table without colours where no terminal is, and filter by label', async () => {
    await addRunning({ ...webApp, labels: { tier: 'front' } });
    await commands.api.call('POST', '/v2/apps', { ...webApp, id: '/later', cpus: 0.5 });
    await commands.api.call('POST', '/v2/apps', { ...webApp, id: '/none', instances: 0 });
    const all = await cli('app', 'list');
    expect(all.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['ID', 'RUNNING', 'CPUS', 'MEM', 'NETWORK', 'IMAGE', 'STATUS'],
      ['/shop/web', '2/2', '0.1', '32', 'default', 'web:1', 'running'],
      ['/later', '0/2', '0.5', '32', 'default', 'web:1', 'deploying'],
      ['/none', '0/0', '0.1', '32', 'default', 'web:1', 'suspended'],
      [''],
    ]);
    const front = await cli('app', 'list', '--label', 'tier==front', '--json');
    expect((JSON.parse(front.stdout) as AppInfo[]).map(({ id }) => id)).toEqual(['/shop/web']);
  });

  test('show an app with its tasks, their hosts and addresses', async () => {
    await addRunning();
    const { code, stdout } = await cli('app', 'show', 'shop/web');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\/shop\/web {2}running, 2 of 2 running, version 20/);
    expect(stdout).toContain('image web:1, 0.1 cpus, 32 MiB');
    expect(stdout).toMatch(
      /\/shop\/web +0 +running +host-\d +10\.32\.0\.3 +0a:07:0a:20:00:03 +0\.web\.shop\S* +active/,
    );
    const { tasks } = JSON.parse((await cli('app', 'show', '/shop/web', '--json')).stdout) as AppInfo;
    expect(tasks).toHaveLength(2);
  });

  test('show the last failure of an app', async () => {
    await commands.api.call('POST', '/v2/apps', { ...webApp, instances: 1 });
    for (const task of commands.api.offer()) commands.api.status(task, 'failed');
    const { stdout } = await cli('app', 'show', '/shop/web');
    expect(stdout).toMatch(/last failure 2026-\S+ on host-\d: TASK_FAILED/);
  });

  test('of an app that is not there exits with 4 and names the next command', async () => {
    const { code, stdout, stderr } = await cli('app', 'show', '/nothing');
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toBe(
      "patchpanel: App '/nothing' does not exist\n`patchpanel app list` shows what there is.\n",
    );
  });
});

describe('app update', () => {
  test('sets variables and the image and keeps the rest', async () => {
    await addRunning({ ...webApp, env: { A: '1', B: '2' } });
    const { code, stdout } = await cli('app', 'update', 'shop/web', '-e', 'B=3', 'C=x=y', '-i', 'web:2');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^updated: deployment \S+\n$/)]);
    expect(await appOf('/shop/web')).toMatchObject({
      instances: 2,
      env: { A: '1', B: '3', C: 'x=y' },
      container: { docker: { image: 'web:2' }, portMappings: [{ containerPort: 80, name: 'http' }] },
    });
  });

  test('takes fields from a file, and variables come on top of those of the file', async () => {
    await addRunning({ ...webApp, env: { A: '1' } });
    const file = await fileWith({ env: { B: '2' }, mem: 64 });
    const { code } = await cli('app', 'update', '/shop/web', '-f', file, '-e', 'C=3');
    expect(code).toBe(0);
    const app = await appOf('/shop/web');
    expect(app).toMatchObject({ mem: 64, instances: 2 });
    expect(app.env).toEqual({ B: '2', C: '3' });
  });

  test('with --replace keeps nothing that the file does not say', async () => {
    await addRunning({ ...webApp, env: { A: '1' } });
    const { code } = await cli(
      'app',
      'update',
      '/shop/web',
      '--replace',
      '-f',
      await fileWith(webApp),
      '-e',
      'C=3',
    );
    expect(code).toBe(0);
    expect((await appOf('/shop/web')).env).toEqual({ C: '3' });
  });

  test('without anything to change, with a malformed pair or a list in the file is wrong usage', async () => {
    await addRunning();
    const nothing = await cli('app', 'update', '/shop/web');
    expect([nothing.code, nothing.stderr]).toEqual([
      2,
      'patchpanel: nothing to change: give --file, --env or --image\n',
    ]);
    const pair = await cli('app', 'update', '/shop/web', '-e', 'A');
    expect([pair.code, pair.stderr]).toEqual([2, "patchpanel: 'A' is not NAME=value\n"]);
    const list = await cli('app', 'update', '/shop/web', '-f', await fileWith([webApp]));
    expect([list.code, list.stderr]).toEqual([2, expect.stringContaining('app.json is not a JSON object')]);
  });

  test('while a deployment is under way exits with 5, names it, and goes through with --force', async () => {
    await commands.api.call('POST', '/v2/apps', webApp);
    const [deployment] = (await appOf('/shop/web')).deployments;
    const locked = await cli('app', 'update', '/shop/web', '-e', 'A=1');
    expect(locked.code).toBe(5);
    expect(locked.stderr).toContain(`patchpanel deployment wait ${deployment?.id}`);
    expect(locked.stderr).toContain('--force');
    expect((await cli('app', 'update', '/shop/web', '-e', 'A=1', '--force')).code).toBe(0);
    expect((await appOf('/shop/web')).env).toEqual({ A: '1' });
  });
});

describe('app scale, restart and remove', () => {
  test('scale sets the number of instances and takes nothing else than a number', async () => {
    await addRunning();
    const { code, stdout } = await cli('app', 'scale', '/shop/web', '5');
    expect([code, stdout]).toEqual([0, expect.stringContaining('scaling to 5: deployment ')]);
    expect((await appOf('/shop/web')).instances).toBe(5);
    for (const wrong of ['many', '', '1.5', '-1']) {
      const refused = await cli('app', 'scale', '/shop/web', '--', wrong);
      expect(refused.code).toBe(2);
    }
    expect((await appOf('/shop/web')).instances).toBe(5);
  });

  test('restart begins a deployment that restarts the app', async () => {
    await addRunning();
    const { code, stdout } = await cli('app', 'restart', '/shop/web');
    expect([code, stdout]).toEqual([0, expect.stringContaining('restarting: deployment ')]);
    const { body } = await commands.api.call<{ steps: { actions: { action: string }[] }[] }[]>(
      'GET',
      '/v2/deployments',
    );
    expect(body[0]?.steps[0]?.actions[0]?.action).toBe('RestartApplication');
  });

  test('remove stops the tasks', async () => {
    await addRunning();
    const { code, stdout } = await cli('app', 'remove', '/shop/web');
    expect([code, stdout]).toEqual([0, expect.stringContaining('removing: deployment ')]);
    for (const task of Array.from(commands.api.world.instances.keys())) commands.api.status(task, 'killed');
    expect((await commands.api.call('GET', '/v2/apps/shop/web')).status).toBe(404);
  });
});

describe('task list and kill', () => {
  const tasksOf = async () => (await commands.api.call<{ tasks: TaskInfo[] }>('GET', '/v2/tasks')).body.tasks;

  test('list every task, or those of one app', async () => {
    expect((await cli('task', 'list')).stdout).toBe('no tasks\n');
    await addRunning();
    await addRunning({
      ...webApp,
      id: '/other',
      instances: 1,
      networks: [{ mode: 'host' }],
      container: { docker: { image: 'x' } },
    });
    const all = (await cli('task', 'list')).stdout.trimEnd().split('\n');
    expect(all[0]?.split(/ +/)).toEqual('APP SLOT STATE HOST IP MAC NAME ENDPOINT TASK'.split(' '));
    expect(all).toHaveLength(4);
    const one = JSON.parse((await cli('task', 'list', 'other', '--json')).stdout) as TaskInfo[];
    expect(one.map(({ appId }) => appId)).toEqual(['/other']);
    expect((await cli('task', 'list', '/nothing')).code).toBe(4);
  });

  test('kill ends a task; with --scale the app gets smaller', async () => {
    await addRunning();
    const [first, second] = await tasksOf();
    const killed = await cli('task', 'kill', first!.id);
    expect([killed.code, killed.stdout]).toEqual([0, 'killing 1 task\n']);
    expect(commands.api.world.instances.get(taskId(first!.id))?.goal).toBe('stop');
    expect((await appOf('/shop/web')).instances).toBe(2);
    expect((await cli('task', 'kill', '--scale', '--force', second!.id)).code).toBe(0);
    expect((await appOf('/shop/web')).instances).toBe(1);
  });

  test('kill of a task that is not there exits with 4 and names it', async () => {
    const { code, stderr } = await cli('task', 'kill', 'web.nothing');
    expect(code).toBe(4);
    expect(stderr).toContain('no such task: web.nothing; see `patchpanel task list`');
  });
});

describe('fabric plan', () => {
  test('counts links, ports and flows without a scheduler', async () => {
    const plan = async (...args: string[]) => {
      const run = commands.beginElsewhere([
        '--url',
        'http://127.0.0.1:1',
        '--json',
        'fabric',
        'plan',
        ...args,
      ]);
      const { code, stdout } = await run.result;
      expect(code).toBe(0);
      return JSON.parse(stdout) as Record<string, number>;
    };
    const flow = await plan('--hosts', '1000', '--endpoints', '1');
    expect(flow).toMatchObject({
      links: 499_500,
      tunnelPortsPerHost: 1,
      tunnelPorts: 1000,
      endpointMtu: 1450,
    });
    const mesh = await plan('--hosts', '10', '--mode', 'mesh', '--encap', 'geneve', '--underlay-mtu', '9000');
    expect(mesh).toMatchObject({ links: 45, tunnelPortsPerHost: 9, tunnelPorts: 90, endpointMtu: 8950 });
  });

  test('prints a table, and names what it cannot take', async () => {
    const { stdout } = await cli('fabric', 'plan', '--hosts', '4');
    expect(stdout).toMatch(/links +3 +6\n/);
    const refused = await cli('fabric', 'plan', '--hosts', '0');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('1 to 5000');
  });
});
