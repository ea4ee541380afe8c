import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { create } from 'axios';
import { SchedulerHttp } from '../../executor/adapters/views/scheduler-http.ts';
import type { TaskInfo } from '../../proto/mesos.gen.ts';
import { startDevMesos, type DevMesos } from '../../src/devcluster/mesos/dev-mesos.ts';
import { executorId, type AgentId } from '../../src/model/ids.ts';
import { taskSpecSchema } from '../../src/model/task-spec.ts';
import { makeCertificates, type Certificates } from '../support/certificates.ts';
import { builtCommandLine, CommandRun, type CommandResult } from '../support/command-line.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { schedulerProgram, SchedulerProcess } from '../support/scheduler-process.ts';

let scheduler: string;
let directory: string;
let certificates: Certificates;
let mesos: DevMesos;
let agent: AgentId;
let launched: TaskInfo[];
let child: SchedulerProcess;

beforeAll(async () => {
  scheduler = await schedulerProgram();
});

afterAll(async () => {
  await rm(scheduler, { force: true });
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pp-security-'));
  certificates = await makeCertificates(directory);
  mesos = await startDevMesos({ log: recordingLogger(), timings: { allocationIntervalMs: 50 } });
  launched = [];
  agent = await mesos.addAgent({
    hostname: 'h1',
    resources: { cpus: 4, mem: 4_096, disk: 1_000 },
    workDir: directory,
    executor: 'simulated',
    onSimulatedLaunch: (task) => launched.push(task),
  });
});

afterEach(async () => {
  await child.end('SIGKILL');
  await mesos.close();
  await rm(directory, { recursive: true, force: true });
});

const patchpanel = (
  args: readonly string[],
  env: Record<string, string>,
  input?: string,
): Promise<CommandResult> =>
  new CommandRun(builtCommandLine, args, { env, ...(input === undefined ? {} : { input }) }).result;

const app = {
  id: '/web',
  cpus: 0.1,
  mem: 32,
  cmd: 'sleep 1',
  container: { type: 'DOCKER', docker: { image: 'busybox' } },
};

test('over TLS, with users: the command line by a token, an executor by its own, and no secret in any log', async () => {
  const users = join(directory, 'users.json');
  const added = await patchpanel(['user', 'add', users, 'ann', '--role', 'operate'], {});
  expect(added.code).toBe(0);
  const token = added.stdout.trim();
  const password = 'correct horse';
  const byPassword = ['user', 'add', users, 'bob', '--role', 'read', '--password-stdin'];
  expect((await patchpanel(byPassword, {}, `${password}\n`)).code).toBe(0);
  const audit = join(directory, 'audit.log');
  child = await SchedulerProcess.start({
    program: scheduler,
    directory,
    masters: mesos.urls,
    args: [
      '--listen=https://127.0.0.1:0',
      '--advertise-url=https://127.0.0.1:8443',
      `--tls-cert=${certificates.cert}`,
      `--tls-key=${certificates.key}`,
      `--tls-ca=${certificates.ca}`,
      `--users-file=${users}`,
      `--audit-file=${audit}`,
    ],
  });
  const { addresses } = await child.logged('the API listens');
  const secure = (addresses as { port: number; tls: boolean }[]).find(({ tls }) => tls);
  const url = `https://127.0.0.1:${secure!.port}`;
  const known = { PATCHPANEL_URL: url, PATCHPANEL_CA_FILE: certificates.ca };

  // Whom the client does not know, or who is not known to the scheduler.
  expect((await patchpanel(['app', 'list'], { PATCHPANEL_URL: url, PATCHPANEL_TOKEN: token })).code).toBe(3);
  const nobody = await patchpanel(['app', 'list'], known);
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('PATCHPANEL_TOKEN')]);
  const reader = { ...known, PATCHPANEL_USER: `bob:${password}` };
  expect((await patchpanel(['app', 'list'], reader)).code).toBe(0);
  const refused = await patchpanel(['app', 'add', '-f', '-'], reader, JSON.stringify(app));
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('bob has the role read')]);
  const operator = { ...known, PATCHPANEL_TOKEN: token };
  expect((await patchpanel(['app', 'add', '-f', '-'], operator, JSON.stringify(app))).code).toBe(0);

  // The executor gets its access with the task.
  await mesos.waitFor('a task', () => launched.length > 0, 20_000);
  const spec = taskSpecSchema.parse(JSON.parse(new TextDecoder().decode(launched[0]!.data)));
  const access = spec.schedulerAccess!;
  expect(access.authority).toBe(certificates.authority);
  const [{ executorId: id } = { executorId: '' }] = mesos.state().agents[0]!.executors;
  const facts = {
    agentId: agent,
    executorId: executorId(id),
    hostname: 'h1',
    underlayIp: '10.9.9.1',
    underlayMtu: 1500,
    datapath: 'netdev',
    ovsVersion: '3.1.0',
    dockerVersion: '20.10',
  } as const;
  const { signal } = new AbortController();
  await new SchedulerHttp(url, agent, access).report({ facts }, signal);
  const stranger = new SchedulerHttp(url, agent, { ...access, token: 'guessed' });
  await expect(stranger.report({ facts }, signal)).rejects.toThrow('401');
  await expect(
    new SchedulerHttp(url, agent, { token: access.token }).report({ facts }, signal),
  ).rejects.toThrow(/certificate|CERT|SIGNATURE/);
  // A token of an executor opens nothing but its own host's routes.
  const asExecutor = await create({ proxy: false, validateStatus: () => true }).get(`${url}/v2/apps`, {
    httpsAgent: new Agent({ ca: certificates.authority }),
    headers: { Authorization: `Bearer ${access.token}` },
  });
  expect(asExecutor.status).toBe(401);

  expect(await child.end('SIGTERM')).toBe(0);
  const changes = (await readFile(audit, 'utf8')).trim().split('\n');
  expect(changes.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ who: 'bob', method: 'POST', url: '/v2/apps?force=false', status: 403 }),
    expect.objectContaining({ who: 'ann', method: 'POST', url: '/v2/apps?force=false', status: 201 }),
  ]);
  const said = JSON.stringify(child.lines);
  for (const secret of [token, password, access.token]) expect(said).not.toContain(secret);
});

test('the framework shows Mesos who it is; a wrong secret is told and tried again, and neither is in the log', async () => {
  await mesos.close();
  const credentials = [{ principal: 'patchpanel', secret: 'swordfish 1' }];
  mesos = await startDevMesos({ log: recordingLogger(), credentials });
  const secretFile = join(directory, 'secret');
  const start = (): Promise<SchedulerProcess> =>
    SchedulerProcess.start({
      program: scheduler,
      directory,
      masters: mesos.urls,
      args: ['--principal=patchpanel', `--secret-file=${secretFile}`],
    });
  await writeFile(secretFile, 'wrong fish\n', { mode: 0o644 });
  child = await start();
  expect(
    JSON.stringify(
      await child.logged('everybody on this machine has access to a file with secrets: chmod 600'),
    ),
  ).toContain(secretFile);
  expect(JSON.stringify(await child.logged('cannot subscribe'))).toContain('401');
  expect((await child.api.get('/ping')).status).toBe(200);
  expect(await child.end('SIGTERM')).toBe(0);
  expect(JSON.stringify(child.lines)).not.toContain('wrong fish');

  await writeFile(secretFile, 'swordfish 1\n');
  child = await start();
  await mesos.waitFor('the framework', ({ frameworks }) => frameworks.length === 1, 20_000);
  expect(JSON.stringify((await child.api.get('/v2/info')).data)).not.toContain('swordfish');
  expect(await child.end('SIGTERM')).toBe(0);
  expect(JSON.stringify(child.lines)).not.toContain('swordfish');
});

test('an https address without a certificate, or with one that is none, ends the start with a clear word', async () => {
  const start = async (...args: string[]): Promise<[number | string, string]> => {
    child = await SchedulerProcess.spawn({
      program: scheduler,
      directory,
      masters: mesos.urls,
      args: ['--listen', 'https://127.0.0.1:0', ...args],
    });
    return [await child.exit, JSON.stringify(child.lines)];
  };
  expect(await start()).toEqual([1, expect.stringContaining('needs --tls-cert and --tls-key')]);
  expect(await start('--tls-cert', certificates.cert)).toEqual([
    1,
    expect.stringContaining('only of use together'),
  ]);
  expect(await start('--tls-cert', certificates.key, '--tls-key', certificates.key)).toEqual([
    1,
    expect.stringContaining('cannot be used'),
  ]);
  expect(await start('--users-file', join(directory, 'none.json'))).toEqual([
    1,
    expect.stringContaining('cannot read the users'),
  ]);
});
