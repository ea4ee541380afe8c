import { expect, test } from '@jest/globals';
import { findings, type Observation, type SeenHost, type SeenTask } from '../faults/invariants.ts';

const task = (slot: number, fields: Partial<SeenTask> = {}): SeenTask => ({
  id: `web.${slot}`,
  appId: '/web',
  state: 'TASK_RUNNING',
  agentId: 'a1',
  slot,
  endpoint: 'active',
  ip: `10.32.0.${slot + 2}`,
  mac: `0a:00:0a:20:00:0${slot + 2}`,
  ...fields,
});
const host: SeenHost = {
  name: 'h1',
  agentId: 'a1',
  executors: 1,
  ports: ['pp0h', 'pp1h'],
  veths: ['pp0h', 'pp1h'],
  flowDifference: '',
  stream: { connected: true, lag: 0, problem: null },
};
const containersOf = (tasks: readonly SeenTask[]) =>
  tasks.flatMap(({ id, agentId }) =>
    ['app', 'sandbox'].map((role) => ({ agentId, taskId: id, role, running: true })),
  );
const whole = (tasks: readonly SeenTask[]): Observation => ({
  apps: [{ id: '/web', instances: 2 }],
  deployments: 0,
  tasks,
  mesosTasks: tasks.map(({ id }) => ({ taskId: id, state: 'TASK_RUNNING' })),
  containers: containersOf(tasks),
  hosts: [host],
  leases: new Map([['/web#0', '10.32.0.2']]),
});
const good = whole([task(0), task(1)]);

test('nothing is wrong with a cluster that is whole', () => {
  expect(findings(good)).toEqual([]);
});

test('an app may have lost any of its slots when it shrank', () => {
  const shrunk = whole([task(0), task(2)]);
  expect(findings(shrunk)).toEqual([]);
});

test.each<[string, Observation, RegExp]>([
  ['a deployment goes on', { ...good, deployments: 1 }, /1 deployments go on/],
  ['a task is missing', whole([task(0)]), /\/web has 1 tasks, not 2/],
  ['a task too many', whole([task(0), task(1), task(2)]), /has 3 slots, not 2/],
  ['a slot twice', whole([task(0), task(0, { id: 'web.x' })]), /\/web#0 has 2 active endpoints/],
  ['a slot without an active one', whole([task(0), task(1, { endpoint: 'standby' })]), /#1 has 0 active/],
  ['a task that does not run', whole([task(0), task(1, { state: 'TASK_UNREACHABLE' })]), /TASK_UNREACHABLE/],
  ['an address twice', whole([task(0), task(1, { ip: '10.32.0.2' })]), /ip 10\.32\.0\.2 is there twice/],
  [
    'a slot that moved to another address',
    whole([task(0, { ip: '10.32.9.9' }), task(1)]),
    /it had 10\.32\.0\.2/,
  ],
  [
    'a task that Mesos does not know',
    { ...good, mesosTasks: good.mesosTasks.slice(1) },
    /Mesos does not know/,
  ],
  [
    'a task that nobody stored',
    { ...good, mesosTasks: [...good.mesosTasks, { taskId: 'x', state: 'TASK_RUNNING' }] },
    /nobody has stored it/,
  ],
  [
    'a container of nobody',
    { ...good, containers: [...good.containers, ...containersOf([task(9)])] },
    /of nobody/,
  ],
  ['a container that is missing', { ...good, containers: good.containers.slice(1) }, /has no container/],
  [
    'a container that ended',
    { ...good, containers: good.containers.map((each) => ({ ...each, running: false })) },
    /does not run/,
  ],
  ['a port too many', { ...good, hosts: [{ ...host, ports: ['a', 'b', 'c'] }] }, /3 ports for 2 tasks/],
  ['a veth too many', { ...good, hosts: [{ ...host, veths: ['a', 'b', 'c'] }] }, /3 veths for 2 tasks/],
  ['two executors', { ...good, hosts: [{ ...host, executors: 2 }] }, /2 executors/],
  ['no executor', { ...good, hosts: [{ ...host, executors: 0 }] }, /no executor/],
  ['other flows', { ...good, hosts: [{ ...host, flowDifference: '+x' }] }, /flows are not those of its view/],
  ['no view', { ...good, hosts: [{ ...host, stream: undefined }] }, /stream is not open/],
  [
    'an old view',
    { ...good, hosts: [{ ...host, stream: { connected: true, lag: 2, problem: null } }] },
    /2 versions behind/,
  ],
  [
    'a problem of a host',
    { ...good, hosts: [{ ...host, stream: { connected: true, lag: 0, problem: 'full' } }] },
    /it reports: full/,
  ],
])('%s is found', (_, seen, what) => {
  expect(findings(seen).join('\n')).toMatch(what);
});
