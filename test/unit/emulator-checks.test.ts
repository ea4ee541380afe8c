import { describe, expect, test } from '@jest/globals';
import type { ExecutorInfo, Resource, SchedulerCall, TaskInfo } from '../../proto/mesos.gen.ts';
import { bundleOf } from '../../src/devcluster/mesos/core/bundle.ts';
import { sameExecutor } from '../../src/devcluster/mesos/core/executor-equality.ts';
import { checkFramework } from '../../src/devcluster/mesos/core/framework-check.ts';
import { checkSchedulerCall } from '../../src/devcluster/mesos/core/scheduler-call-check.ts';
import { checkTask, type LaunchSite } from '../../src/devcluster/mesos/core/task-check.ts';

const scalar = (name: string, value: number, role = '*'): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  allocation_info: { role },
});

const executor: ExecutorInfo = {
  executor_id: { value: 'e' },
  framework_id: { value: 'f' },
  command: {
    value: 'run',
    uris: [{ value: 'a', cache: true }, { value: 'b' }],
    environment: {
      variables: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
  },
  resources: [scalar('cpus', 0.1), scalar('mem', 64)],
};

const task: TaskInfo = {
  name: 't',
  task_id: { value: 't' },
  agent_id: { value: 'a' },
  resources: [scalar('cpus', 1), scalar('mem', 100)],
  executor,
};

const site: LaunchSite = {
  frameworkId: 'f',
  agentId: 'a',
  role: '*',
  available: bundleOf([scalar('cpus', 1.1), scalar('mem', 164)]),
  executor: undefined,
  isKnown: () => false,
};

describe('a launch', () => {
  test('that fits with its executor is fine, and does not fit once something is missing', () => {
    expect(checkTask(task, site)).toBeUndefined();
    const short = { ...site, available: bundleOf([scalar('cpus', 1.09), scalar('mem', 164)]) };
    expect(checkTask(task, short)).toBe(
      'Total resources cpus(allocated: *):1.1; mem(allocated: *):164 required by task and its executor is more than ' +
        'available cpus(allocated: *):1.09; mem(allocated: *):164',
    );
    expect(checkTask(task, { ...short, executor })).toBeUndefined();
  });

  test.each<[string, Partial<TaskInfo>, string]>([
    ['an id with a slash', { task_id: { value: 'a/b' } }, "'a/b' contains invalid characters"],
    ['the id ..', { task_id: { value: '..' } }, "'..' is disallowed"],
    ['a long id', { task_id: { value: 'x'.repeat(256) } }, 'ID must not be greater than 255 characters'],
    ['another agent', { agent_id: { value: 'b' } }, 'Task uses invalid agent b while agent a is expected'],
    ['no resources', { resources: [] }, 'Task uses no resources'],
    [
      'a zero',
      { resources: [scalar('cpus', 0.0001)] },
      'Task uses invalid resources: Invalid scalar resource: value <= 0',
    ],
    ['half a gpu', { resources: [scalar('gpus', 0.5)] }, 'GPU resources must be an integer'],
    [
      'an executor and a command',
      { command: {} },
      'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present',
    ],
    [
      "another framework's executor",
      { executor: { ...executor, framework_id: { value: 'g' } } },
      'ExecutorInfo has an invalid FrameworkID (Actual: g vs Expected: f)',
    ],
    [
      'a variable without a value',
      { executor: { ...executor, command: { environment: { variables: [{ name: 'A' }] } } } },
      "Environment variable 'A' of type 'VALUE' must have a value set",
    ],
  ])('with %s is refused', (_what, change, problem) => {
    expect(checkTask({ ...task, ...change }, site)).toBe(problem);
  });

  test('of resources of another role does not fit', () => {
    const foreign = { ...task, resources: [scalar('cpus', 1, 'x')] };
    expect(checkTask(foreign, site)).toMatch(/^Total resources cpus\(allocated: x\):1;/);
  });
});

describe('ExecutorInfos', () => {
  test.each<[string, Partial<ExecutorInfo>, boolean]>([
    ['labels', { labels: { labels: [{ key: 'k' }] } }, true],
    ['the grace period', { shutdown_grace_period: { nanoseconds: 1 } }, true],
    ['the order of resources', { resources: [scalar('mem', 64), scalar('cpus', 0.1)] }, true],
    [
      'the order and caching of URIs',
      { command: { ...executor.command, uris: [{ value: 'b', cache: true }, { value: 'a' }] } },
      true,
    ],
    [
      'the order of variables and a type that is the default',
      {
        command: {
          ...executor.command,
          shell: true,
          environment: {
            variables: [
              { name: 'B', type: 'VALUE', value: '2' },
              { name: 'A', value: '1' },
            ],
          },
        },
      },
      true,
    ],
    ['the name', { name: 'n' }, false],
    ['data', { data: new Uint8Array([1]) }, false],
    ['the role of resources', { resources: [scalar('cpus', 0.1, 'x'), scalar('mem', 64, 'x')] }, false],
    ['arguments', { command: { ...executor.command, arguments: ['x'] } }, false],
  ])('that differ in %s', (_what, change, same) => {
    expect(sameExecutor(executor, { ...executor, ...change })).toBe(same);
  });
});

describe('a subscription', () => {
  const info = { user: 'u', name: 'n' };
  const multi = { ...info, capabilities: [{ type: 'MULTI_ROLE' as const }] };

  test.each([
    [info, [], undefined],
    [{ ...multi, roles: ['a/b', '*'] }, ['*'], undefined],
    [{ ...multi, role: 'a' }, [], /'FrameworkInfo.role' must not be set/],
    [{ ...info, roles: ['a'] }, [], /'FrameworkInfo.roles' must not be set/],
    [{ ...multi, roles: ['a', 'a'] }, [], /duplicate/],
    [{ ...multi, roles: ['-a'] }, [], /cannot start with '-'/],
    [{ ...multi, roles: ['a b'] }, [], /whitespace/],
    [{ ...multi, roles: ['a/../b'] }, [], /cannot include '..'/],
    [{ ...multi, roles: ['a'] }, ['b'], /Suppressed role 'b'/],
    [{ ...info, failover_timeout: 1e10 }, [], /failover_timeout is invalid/],
  ])('%j with %j suppressed', (framework, suppressed, problem) => {
    const result = checkFramework(framework, suppressed, undefined);
    if (problem === undefined) expect(result).toBeUndefined();
    else expect(result).toMatch(problem);
  });

  test('with another principal than before is refused', () => {
    expect(checkFramework({ ...info, principal: 'a' }, [], { ...info, principal: 'b' })).toBe(
      "Changing framework's principal is not allowed.",
    );
  });
});

describe("a scheduler's call", () => {
  const id = { value: 'f' };
  const framework = { user: 'u', name: 'n' };

  test.each<[SchedulerCall, string | undefined]>([
    [{}, "Expecting 'type' to be present"],
    [{ type: 'SUBSCRIBE' }, "Expecting 'subscribe' to be present"],
    [{ type: 'SUBSCRIBE', subscribe: { framework_info: framework } }, undefined],
    [
      { type: 'SUBSCRIBE', framework_id: id, subscribe: { framework_info: framework } },
      "'framework_id' differs from 'subscribe.framework_info.id'",
    ],
    [{ type: 'TEARDOWN' }, "Expecting 'framework_id' to be present"],
    [{ type: 'TEARDOWN', framework_id: id }, undefined],
    [{ type: 'ACCEPT', framework_id: id }, "Expecting 'accept' to be present"],
    [
      {
        type: 'ACKNOWLEDGE',
        framework_id: id,
        acknowledge: { agent_id: id, task_id: id, uuid: new Uint8Array(16) },
      },
      'Not a valid UUID',
    ],
  ])('%j', (call, problem) => {
    expect(checkSchedulerCall(call)).toBe(problem);
  });
});
