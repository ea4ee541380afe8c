import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { presentApp } from '../../scheduler/api/v2/present-app.ts';
import { presentTask, presentTaskWithPorts } from '../../scheduler/api/v2/present-task.ts';
import { presentCounts } from '../../scheduler/api/v2/task-stats.ts';
import { wantedApp } from '../../scheduler/core/changes/tree.ts';
import { countTasks, isNone } from '../../scheduler/core/slots/task-counts.ts';
import type { World } from '../../scheduler/core/world.ts';
import { isTerminal, type Condition, type Instance } from '../../src/model/instance.ts';
import { appId, type AppId } from '../../src/model/ids.ts';
import { ApiHarness } from '../support/api.ts';

type Op =
  | { readonly kind: 'put'; readonly app: number; readonly instances: number; readonly mem: number }
  | { readonly kind: 'delete' | 'restart'; readonly app: number }
  | { readonly kind: 'offer' }
  | { readonly kind: 'task'; readonly task: number; readonly to: Condition; readonly healthy?: boolean };

const names = ['/shop/web', '/shop/db', '/api'];
const app = fc.nat(names.length - 1);

const opArbitrary: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    app,
    instances: fc.nat(3),
    mem: fc.constantFrom(16, 32),
  }),
  fc.record({ kind: fc.constantFrom('delete' as const, 'restart'), app }),
  fc.record({ kind: fc.constant('offer' as const) }),
  {
    weight: 4,
    arbitrary: fc.record(
      {
        kind: fc.constant('task' as const),
        task: fc.nat(20),
        to: fc.constantFrom<Condition>('staging', 'starting', 'running', 'running', 'failed', 'unreachable'),
        healthy: fc.boolean(),
      },
      { requiredKeys: ['kind', 'task', 'to'] },
    ),
  },
);

async function perform(api: ApiHarness, op: Op): Promise<void> {
  switch (op.kind) {
    case 'put':
      await api.call('PUT', `/v2/apps${names[op.app]}?force=true`, {
        instances: op.instances,
        mem: op.mem,
        container: { docker: { image: 'web:1' } },
        // One with addresses, which go from task to task, and others without.
        ...(op.app === 0 ? { networks: [{ mode: 'container' }] } : {}),
      });
      return;
    case 'delete':
      await api.call('DELETE', `/v2/apps${names[op.app]}?force=true`);
      return;
    case 'restart':
      await api.call('POST', `/v2/apps${names[op.app]}/restart?force=true`);
      return;
    case 'offer':
      api.offer();
      return;
    case 'task': {
      const tasks = [...api.world.instances.keys()];
      const task = tasks[op.task % tasks.length];
      if (task !== undefined)
        api.status(task, op.to, op.healthy === undefined ? {} : { healthy: op.healthy });
    }
  }
}

/** By looking at every task there is. */
const tasksOf = ({ instances }: World, id: AppId): Instance[] =>
  [...instances.values()].filter(({ appId: owner }) => owner === id);

/** Of every app that is not being removed. */
function madeAfresh(world: World): Record<string, unknown>[] {
  const wanted = [...world.apps.values()].filter(({ id }) => wantedApp(world, id) !== undefined);
  return wanted.map((each) => {
    const job = world.jobs.get(each.id);
    return {
      ...presentApp(each),
      ...presentCounts(countTasks(tasksOf(world, each.id))),
      deployments: job === undefined ? [] : [{ id: job.deploymentId }],
    };
  });
}

interface Apps {
  readonly apps: Record<string, unknown>[];
}

/** Every list that may be made of kept texts, against one that is made now. */
async function expectListsUpToDate(api: ApiHarness): Promise<void> {
  const fresh: unknown[] = JSON.parse(JSON.stringify(madeAfresh(api.world)));
  const listed = async (query: string) => (await api.call<Apps>('GET', `/v2/apps${query}`)).body.apps;
  expect(await listed('')).toEqual(fresh);
  expect(await listed('?offset=1&limit=1')).toEqual(fresh.slice(1, 2));
  const some = await listed('?fields=id,tasksRunning,deployments&id=shop');
  expect(some).toEqual(
    madeAfresh(api.world)
      .filter(({ id }) => String(id).includes('shop'))
      .map(({ id, tasksRunning, deployments }) => ({ id, tasksRunning, deployments })),
  );
  const withTasks = await listed('?embed=apps.tasks');
  expect(withTasks.map(({ tasks: _tasks, ...rest }) => rest)).toEqual(fresh);
  await expectTasksUpToDate(api, withTasks);
  const inRoot = madeAfresh(api.world).filter(({ id }) => id === '/api');
  const group = await api.call<Apps>('GET', '/v2/groups?embed=group.apps&embed=group.apps.counts');
  expect(group.body.apps).toEqual(JSON.parse(JSON.stringify(inRoot)));
}

/** The tasks of apps as they were listed, and those of the list of tasks, with and without what Marathon does not have. */
async function expectTasksUpToDate(api: ApiHarness, apps: Apps['apps']): Promise<void> {
  const { world, server } = api;
  for (const { id, tasks } of apps) {
    const live = tasksOf(world, appId(String(id))).filter(({ condition }) => !isTerminal(condition));
    const fresh: object[] = live.map((task) => presentTask(world, task, true));
    expect(tasks).toHaveLength(fresh.length);
    expect(tasks).toEqual(expect.arrayContaining(fresh));
  }
  for (const extended of [true, false]) {
    const headers = { accept: extended ? '*/*' : 'application/json' };
    const answer = await server.inject({ method: 'GET', url: '/v2/tasks', headers });
    const fresh = Array.from(world.instances.values(), (task) => presentTaskWithPorts(world, task, extended));
    expect(answer.json()).toEqual({ tasks: JSON.parse(JSON.stringify(fresh)) as unknown });
  }
}

test('whatever has happened, the lists of apps are those that would be made afresh, and so are the counts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(opArbitrary, { minLength: 5, maxLength: 30 }), async (ops) => {
      const api = new ApiHarness();
      try {
        for (const op of ops) {
          await perform(api, op);
          await expectListsUpToDate(api);
        }
        for (const id of names.map((name) => appId(name))) {
          const counts = countTasks(tasksOf(api.world, id));
          expect(api.world.taskCounts.get(id)).toEqual(isNone(counts) ? undefined : counts);
        }
      } finally {
        await api.server.close();
      }
    }),
    { numRuns: 40 },
  );
});
