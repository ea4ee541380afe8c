import type { TaskId } from '../src/model/ids.ts';
import { PatchpanelError, codeOf } from '../src/runtime/errors.ts';
import { withDeadline } from '../src/runtime/deadline.ts';
import {
  appContainer,
  containerName,
  sandboxContainer,
  type ContainerSurroundings,
} from './core/tasks/container-spec.ts';
import type { Plug } from './core/tasks/desired.ts';
import type { Fabric } from './core/ports.ts';
import { credentialsFor } from './core/tasks/registry-auth.ts';
import type { Containers } from './core/tasks/containers.ts';
import type { TaskFiles } from './core/tasks/files.ts';
import type { StepOutcome } from './core/tasks/events.ts';
import type { StepKind, TaskRecord } from './core/tasks/record.ts';

/** What steps act on. */
export interface StepTools {
  readonly containers: Containers;
  readonly fabric: Fabric;
  readonly files: TaskFiles;
  readonly surroundings: ContainerSurroundings;
  readonly sandboxImage: string;
  /** How long an app's start waits for the other hosts, in milliseconds. */
  readonly convergeTimeoutMs: number;
  /** How long the removal of a container waits for the rest of its output, in milliseconds. */
  readonly drainTimeoutMs: number;
}

/** One task's part of it. */
export interface StepContext {
  readonly tools: StepTools;
  readonly record: TaskRecord;
  /** Fires when the task is not to be started any more. */
  readonly signal: AbortSignal;
  /** Tells how far a long step is. */
  readonly progress: (text: string) => void;
  readonly output: { start(): void; readonly finished: Promise<void>; stop(): Promise<void> };
}

type StepRunner = (context: StepContext) => Promise<StepOutcome>;

/** Milliseconds for the network side of a task. */
const attachLimitMs = 30_000;
const detachLimitMs = 30_000;

/** What each kind of step does. Every step may be repeated. */
export const stepRunners: Readonly<Record<StepKind, StepRunner>> = {
  'fetch-files': fetchFiles,
  'fetch-image': fetchImage,
  'create-sandbox': createSandbox,
  'start-sandbox': startSandbox,
  'create-app': createApp,
  attach,
  'await-converged': awaitConverged,
  'start-app': startApp,
  'signal-app': signalApp,
  'kill-app': killApp,
  detach,
  'remove-app': removeApp,
  'remove-sandbox': removeSandbox,
};

const sandboxOf = (record: TaskRecord): string => containerName('sandbox', record.task.taskId);
const appOf = (record: TaskRecord): string => containerName('app', record.task.taskId);

async function fetchFiles({ tools, record, progress, signal }: StepContext): Promise<StepOutcome> {
  const { taskId, spec } = record.task;
  await tools.files.prepare(taskId, spec.secretFiles);
  await tools.files.fetch(taskId, spec.fetch, progress, signal);
  return {};
}

async function fetchImage({ tools, record, progress, signal }: StepContext): Promise<StepOutcome> {
  const { image, forcePullImage, pullConfig } = record.task.spec;
  if (!forcePullImage && (await tools.containers.hasImage(image))) return {};
  const configs = await tools.files.dockerConfigs(record.task.taskId);
  const credentials = [pullConfig ?? '', ...configs].flatMap(
    (config) => credentialsFor(image, config) ?? [],
  )[0];
  await tools.containers.pull(image, credentials, progress, signal);
  return {};
}

async function createSandbox({ tools, record }: StepContext): Promise<StepOutcome> {
  const spec = sandboxContainer(record.task, plugOf(record), tools.sandboxImage, tools.surroundings);
  await tools.containers.create(sandboxOf(record), spec);
  return {};
}

async function startSandbox({ tools, record }: StepContext): Promise<StepOutcome> {
  const name = sandboxOf(record);
  await tools.containers.start(name);
  const facts = await tools.containers.inspect(name);
  if (facts?.running !== true)
    throw new PatchpanelError('external', 'network sandbox lost: it ended at once');
  return { pid: facts.pid };
}

async function createApp({ tools, record }: StepContext): Promise<StepOutcome> {
  const { taskId, spec } = record.task;
  await tools.files.prepare(taskId, spec.secretFiles);
  const mounts = {
    sandbox: tools.files.sandboxOf(taskId),
    secrets: spec.secretFiles.map((_, index) => tools.files.secretOf(taskId, index)),
  };
  await tools.containers.create(appOf(record), appContainer(record.task, tools.surroundings, mounts));
  return {};
}

async function attach({ tools, record, signal }: StepContext): Promise<StepOutcome> {
  const { sandbox } = record;
  if (sandbox.is !== 'running') throw new PatchpanelError('invalid', 'there is no sandbox to attach');
  const { endpoint } = plugOf(record);
  const work = tools.fabric.attach(endpoint, sandbox.pid, signal);
  await withDeadline(work, attachLimitMs, 'plugging the container into the switch');
  return {};
}

/** A host that does not answer in time is no reason to keep the app down: it gets the view when it is back. */
async function awaitConverged({ tools, record, signal }: StepContext): Promise<StepOutcome> {
  try {
    await tools.fabric.awaitConverged(plugOf(record).endpoint, tools.convergeTimeoutMs, signal);
    return {};
  } catch (error) {
    if (codeOf(error) !== 'deadline') throw error;
    return {
      note: `started although some host had not confirmed the address within ${tools.convergeTimeoutMs} ms`,
    };
  }
}

async function startApp({ tools, record, output }: StepContext): Promise<StepOutcome> {
  await tools.containers.start(appOf(record));
  output.start();
  return {};
}

async function signalApp({ tools, record }: StepContext): Promise<StepOutcome> {
  const name = appOf(record);
  const facts = await tools.containers.inspect(name);
  await tools.containers.signal(name, facts?.stopSignal ?? 'SIGTERM');
  return {};
}

async function killApp({ tools, record }: StepContext): Promise<StepOutcome> {
  await tools.containers.signal(appOf(record), 'SIGKILL');
  return {};
}

async function detach({ tools, record }: StepContext): Promise<StepOutcome> {
  const work = tools.fabric.detach(plugOf(record).endpoint);
  await withDeadline(work, detachLimitMs, 'unplugging the container');
  return {};
}

async function removeApp({ tools, record, output }: StepContext): Promise<StepOutcome> {
  const drained = withDeadline(output.finished, tools.drainTimeoutMs, 'the rest of the output');
  await drained.catch(() => output.stop());
  await tools.containers.remove(appOf(record));
  await tools.files.remove(record.task.taskId);
  return {};
}

async function removeSandbox({ tools, record }: StepContext): Promise<StepOutcome> {
  await tools.containers.remove(sandboxOf(record));
  return {};
}

function plugOf(record: TaskRecord): Plug {
  const { plug } = record.task;
  if (plug === undefined)
    throw new PatchpanelError('invalid', `${taskText(record.task.taskId)} is on the host's network`);
  return plug;
}

const taskText = (id: TaskId): string => `task ${id}`;
