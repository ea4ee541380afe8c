import { isEnding, type StepKind, type TaskRecord } from './record.ts';

/** One thing to do now. Steps of one plan may be done at the same time. */
export interface Step {
  readonly kind: StepKind;
  /** Why, for the log. */
  readonly reason: string;
}

/** Steps that bring an app up. They are cancelled or waited for before anything is taken down. */
const launching: ReadonlySet<StepKind> = new Set<StepKind>([
  'fetch-files',
  'fetch-image',
  'create-sandbox',
  'start-sandbox',
  'create-app',
  'attach',
  'await-converged',
  'start-app',
]);

/** Docker may say that it sent SIGKILL to what then does not end; it is sent again after so many milliseconds. */
const killAgainMs = 10_000;

/**
 * What to do next for a task, given what is known of it: on the way up the image (after files, which may hold the
 * credentials for it) and the sandbox side by side, on the
 * way down the app, then its port, then the containers. Steps under way are left out; an empty plan waits for an
 * event or for nextWake().
 */
export function plan(record: TaskRecord, now: number): readonly Step[] {
  const steps = isEnding(record) ? planEnd(record, now) : planStart(record);
  return steps.filter((step) => !record.underWay.has(step.kind));
}

/** When plan() may give more without any event, in milliseconds since 1970. */
export function nextWake(record: TaskRecord, now: number): number | undefined {
  const kill = record.app === 'running' ? nextKill(record) : undefined;
  const moments = [kill, record.retry?.at].filter((moment) => moment !== undefined && moment > now);
  return moments.length === 0 ? undefined : Math.min(...(moments as number[]));
}

function planStart(record: TaskRecord): Step[] {
  const { sandbox, port, app, task } = record;
  const steps: Step[] = [];
  if (record.files === 'wanted') steps.push({ kind: 'fetch-files', reason: 'the app needs its files' });
  if (record.image === 'wanted' && record.files === 'present') {
    const why = task.spec.forcePullImage ? 'the task wants the newest image' : 'the app needs its image';
    steps.push({ kind: 'fetch-image', reason: why });
  }
  if (sandbox.is === 'absent')
    steps.push({ kind: 'create-sandbox', reason: 'the app needs a network namespace' });
  if (sandbox.is === 'created') steps.push({ kind: 'start-sandbox', reason: 'the sandbox is created' });
  if (sandbox.is === 'running' && port === 'prepared')
    steps.push({ kind: 'attach', reason: 'the sandbox runs' });
  if (port === 'attached') steps.push({ kind: 'await-converged', reason: 'the endpoint is plugged in' });
  if (app === 'absent' && record.image === 'present' && sandbox.is !== 'absent') {
    steps.push({ kind: 'create-app', reason: 'the image is here' });
  }
  if (app === 'created' && (port === 'none' || port === 'ready')) {
    steps.push({ kind: 'start-app', reason: 'the network is ready' });
  }
  return steps;
}

function planEnd(record: TaskRecord, now: number): Step[] {
  if (record.retry !== undefined && record.retry.at > now) return [];
  if (record.app === 'running') return planKill(record, now);
  if ([...record.underWay].some((kind) => launching.has(kind))) return [];
  return planRemoval(record);
}

/** When the app is to be sent SIGKILL although nothing happens until then. */
function nextKill({ goal, killedAt }: TaskRecord): number | undefined {
  if (killedAt !== undefined) return killedAt + killAgainMs;
  return goal.kind === 'stop' ? goal.killAt : undefined;
}

function planKill(record: TaskRecord, now: number): Step[] {
  const { goal, failure, signalled, killedAt } = record;
  if (killedAt !== undefined) {
    return now >= killedAt + killAgainMs
      ? [{ kind: 'kill-app', reason: 'it was killed, and still runs' }]
      : [];
  }
  if (failure !== undefined) return [{ kind: 'kill-app', reason: failure.message }];
  if (goal.kind !== 'stop') return [];
  if (now >= goal.killAt) return [{ kind: 'kill-app', reason: 'the grace period is over' }];
  return signalled ? [] : [{ kind: 'signal-app', reason: 'the task is to be killed' }];
}

function planRemoval(record: TaskRecord): Step[] {
  const { port, app, sandbox } = record;
  if (port !== 'none' && port !== 'detached') return [{ kind: 'detach', reason: 'the app has ended' }];
  const steps: Step[] = [];
  if (app !== 'removed') steps.push({ kind: 'remove-app', reason: 'the app has ended' });
  if (sandbox.is !== 'none' && sandbox.is !== 'removed') {
    steps.push({ kind: 'remove-sandbox', reason: 'nothing uses the namespace any more' });
  }
  return steps;
}
