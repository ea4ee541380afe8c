import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { DeploymentInfo } from '../../src/cli/api-types.ts';
import { agentId, type TaskId } from '../../src/model/ids.ts';
import { webApp } from '../support/api.ts';
import { CommandLine, type CommandResult, type CommandRun } from '../support/command-line.ts';

const commands = new CommandLine();

const begin = (...args: string[]): CommandRun => commands.begin(args);
const cli = (...args: string[]): Promise<CommandResult> => commands.run(...args);

async function deployments(): Promise<DeploymentInfo[]> {
  return (await commands.api.call<DeploymentInfo[]>('GET', '/v2/deployments')).body;
}

/** The id of the deployment that a new app began; none of its tasks runs yet. */
async function underWay(): Promise<string> {
  const { headers } = await commands.api.call('POST', '/v2/apps', webApp);
  return String(headers['marathon-deployment-id']);
}

describe('--wait', () => {
  test('tells each change on a line of standard error and ends with the deployment', async () => {
    await commands.api.call('POST', '/v2/apps', { ...webApp, instances: 0 });
    const run = begin('app', 'scale', '/shop/web', '2', '--wait');
    await run.says('0/2 running\n');
    const [first, second] = commands.api.offer() as [TaskId, TaskId];
    commands.api.status(first, 'running');
    await run.says('1/2 running\n');
    commands.api.status(second, 'running');
    const { code, stdout, stderr } = await run.result;
    expect([code, stderr]).toEqual([0, '0/2 running\n1/2 running\ndone\n']);
    expect(stdout).toMatch(/^scaling to 2: deployment \S+ has ended\n$/);
  });

  test('tells the failure that holds the deployment up, and gives up with 6 after its time', async () => {
    const id = await underWay();
    for (const task of commands.api.offer()) commands.api.status(task, 'failed');
    const run = begin('deployment', 'wait', id, '--timeout', '1');
    await run.says('0/2 running (TASK_FAILED on host-');
    const { code, stdout, stderr } = await run.result;
    expect([code, stdout]).toEqual([6, '']);
    expect(stderr).toContain(`deployment ${id} has not ended after 1 s; last failure: TASK_FAILED on host-`);
    expect(stderr).toContain('patchpanel deployment rollback');
  });

  test('keeps standard output clean for programs', async () => {
    const run = begin('app', 'add', '-f', '-', '--wait', '--json');
    run.feed(JSON.stringify(webApp));
    await run.says('0/2 running');
    commands.api.runAll();
    const { code, stdout } = await run.result;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id: '/shop/web' });
  });
});

describe('deployment', () => {
  test('list and show what is under way', async () => {
    expect((await cli('deployment', 'list')).stdout).toBe('no deployment is under way\n');
    const id = await underWay();
    const { stdout } = await cli('deployment', 'list');
    expect(stdout.split('\n')[1]?.split(/ {2,}/)).toEqual([
      id,
      '/shop/web',
      '2/2',
      expect.stringMatching(/^2026-/),
    ]);
    const shown = (await cli('deployment', 'show', id)).stdout.trimEnd().split('\n');
    expect(shown.map((line) => line.split(/ {2,}/))).toEqual([
      ['STEP', 'ACTION', 'APP'],
      ['1', 'StartApplication', '/shop/web'],
      ['2', 'ScaleApplication', '/shop/web', 'under way'],
    ]);
    const json = JSON.parse((await cli('deployment', 'show', id, '--json')).stdout) as DeploymentInfo;
    expect(json).toMatchObject({ id, affectedApps: ['/shop/web'] });
  });

  test('show of one that never was exits with 4', async () => {
    const { code, stderr } = await cli('deployment', 'show', 'nothing');
    expect(code).toBe(4);
    expect(stderr).toContain('DeploymentPlan nothing does not exist');
    expect(stderr).toContain('patchpanel deployment list');
  });

  test('wait for one that has ended is over at once', async () => {
    const id = await underWay();
    commands.api.runAll();
    const { code, stdout } = await cli('deployment', 'wait', id);
    expect([code, stdout]).toEqual([0, `deployment ${id} has ended\n`]);
  });

  test('wait for one that never was exits with 4', async () => {
    const { code, stdout, stderr } = await cli('deployment', 'wait', 'nothing');
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain('patchpanel deployment list');
  });

  test('rollback takes it back by another one, cancel stops it where it is', async () => {
    await commands.api.call('POST', '/v2/apps', webApp);
    commands.api.runAll();
    const scaled = await commands.api.call('PATCH', '/v2/apps/shop/web', { instances: 4 });
    commands.api.offer();
    const id = String(scaled.headers['marathon-deployment-id']);
    const taken = await cli('deployment', 'rollback', id);
    expect(taken.code).toBe(0);
    const [back] = await deployments();
    expect(taken.stdout).toBe(`taken back by deployment ${back?.id}\n`);
    const cancelled = await cli('deployment', 'cancel', back!.id);
    expect([cancelled.code, cancelled.stdout]).toEqual([0, `deployment ${back?.id} was cancelled\n`]);
    expect(await deployments()).toEqual([]);
    expect((await cli('deployment', 'cancel', 'nothing')).code).toBe(4);
    const history = (await cli('deployment', 'history')).stdout
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(history.slice(1, 3).map(([first, , , state]) => [first, state])).toEqual([
      [back?.id, 'cancelled'],
      [id, 'taken-back'],
    ]);
    const { stdout } = await cli('deployment', 'show', id);
    expect(stdout).toContain(`taken back on request; deployment ${back?.id} came in its place`);
  });

  test('wait for one that does not get done exits with 1 and says why', async () => {
    const labels = { 'patchpanel.deploymentDeadlineSeconds': '60' };
    const { headers } = await commands.api.call('POST', '/v2/apps', { ...webApp, labels });
    const id = String(headers['marathon-deployment-id']);
    const run = begin('deployment', 'wait', id);
    await run.says('0/2 running');
    commands.api.now += 60_000;
    commands.api.step({ kind: 'tick' });
    const { code, stderr } = await run.result;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`deployment ${id}: failed, not done after 6\\d s: waits for /shop/web`),
    );
  });
});

describe('network and host', () => {
  test('list networks, and show one', async () => {
    await commands.api.call('POST', '/v2/apps', webApp);
    const { stdout } = await cli('network', 'list');
    expect(stdout.trimEnd().split('\n')[1]?.split(/ {2,}/)).toEqual([
      'default',
      '7',
      '10.32.0.0/16',
      '2',
      'patchpanel.internal',
    ]);
    const shown = await cli('network', 'show', 'default');
    expect(shown.stdout).toMatch(/^quarantineSeconds +300$/m);
    const missing = await cli('network', 'show', 'blue');
    expect(missing.code).toBe(4);
    expect(missing.stderr).toContain('`patchpanel network list` shows what there is.');
  });

  test('list hosts with the state of their view', async () => {
    expect((await cli('host', 'list')).stdout).toContain('no host has reported yet');
    commands.api.reportHost(0, { applied: '1.7', lag: 2 });
    const { stdout } = await cli('host', 'list');
    expect(stdout.trimEnd().split('\n')[1]?.split(/ {2,}/)).toEqual([
      'host-0',
      'agent-0',
      '192.0.2.1',
      'netdev',
      'yes',
      '0',
      '1.7 (2 behind)',
      '-',
      '-',
    ]);
    const hosts = JSON.parse((await cli('host', 'list', '--json')).stdout) as object[];
    expect(hosts).toMatchObject([{ agentId: 'agent-0', reachable: true }]);
  });

  test('list hosts says on which nothing is launched for now, and why', async () => {
    const id = agentId('agent-7');
    const unfit = {
      agentId: id,
      hostname: 'host-7',
      problem: 'no Docker',
      since: 0,
      pauseMs: 30_000,
      until: 30_000,
    };
    commands.api.world.unfitHosts.set(id, unfit);
    expect((await cli('host', 'list')).stdout).toContain(
      'nothing is launched on host-7 (agent-7) before 1970-01-01T00:00:30.000Z: no Docker',
    );
  });
});

describe('exit codes', () => {
  test('2 for what the command line does not know, with a way to help', async () => {
    for (const args of [
      ['app', 'colour'],
      ['app', 'list', '--colour'],
      ['app', 'add'],
      ['app', 'show'],
      ['app', 'show', '/'],
      ['app', 'scale', '/web', '1', '--wait', '--timeout', 'soon'],
      ['deployment', 'wait', 'x', '--timeout', 'soon'],
    ]) {
      const { code, stdout, stderr } = await cli(...args);
      expect([args, code, stdout]).toEqual([args, 2, '']);
      expect(stderr).not.toBe('');
    }
    expect((await cli('app', 'list', '--colour')).stderr).toContain('--help tells more');
  });

  test('0 for help and version', async () => {
    const help = await cli('--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('Exit codes: 0 done');
    const version = await cli('--version');
    expect([version.code, version.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });

  test('3 when no scheduler is there: the message names the URL and what to do', async () => {
    await commands.api.server.close();
    const { code, stdout, stderr } = await cli('app', 'list');
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain(`cannot reach the scheduler at ${commands.url}`);
    expect(stderr).toContain('PATCHPANEL_URL');
  });

  test('the URL comes from the environment unless a flag names another, and never through a proxy', async () => {
    await commands.api.call('POST', '/v2/apps', webApp);
    const nowhere = 'http://127.0.0.1:9';
    const byEnvironment = commands.beginElsewhere(['app', 'list'], {
      env: { PATCHPANEL_URL: commands.url, HTTP_PROXY: nowhere, http_proxy: nowhere },
    });
    expect((await byEnvironment.result).stdout).toContain('/shop/web');
    const byFlag = commands.beginElsewhere(['--url', nowhere, 'app', 'list'], {
      env: { PATCHPANEL_URL: commands.url },
    });
    expect((await byFlag.result).code).toBe(3);
  });

  test('1 when another server answers, with a word about the URL', async () => {
    const other = await listening(
      createServer((_request, response) => void response.end('<html>welcome</html>')),
    );
    try {
      const { port } = other.address() as AddressInfo;
      const { code, stderr } = await commands.beginElsewhere([
        '--url',
        `http://127.0.0.1:${port}`,
        'app',
        'list',
      ]).result;
      expect(code).toBe(1);
      expect(stderr).toContain('does not answer like a Patchpanel scheduler');
    } finally {
      other.close();
    }
  });

  test('0 when the reader has seen enough', async () => {
    const run = begin('app', 'list');
    run.closeOutput();
    const { code, stderr } = await run.result;
    expect([code, stderr]).toEqual([0, '']);
  });
});

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
