import type { App, HealthCheck } from '../../../../src/model/app.ts';
import type { Deployment } from '../../../../src/model/deployment.ts';
import { instanceIdOf, isoTime, type TaskId } from '../../../../src/model/ids.ts';
import type { Condition } from '../../../../src/model/instance.ts';
import type { World } from '../../../core/world.ts';
import type { BusEvent } from '../../../driver/event-bus.ts';
import { presentHealthCheck } from '../health-checks.ts';
import { presentApp } from '../present-app.ts';

/** What events tell that their publisher does not know. */
export interface EventContext {
  readonly world: World;
  /** The address of the Mesos master. */
  readonly master: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** More definitions than this are left out of a plan: who needs them reads them. */
const maxAppsInPlan = 50;

/** An event in Marathon's JSON; `lightPlans`: without the definitions before and after a deployment. */
export function presentEvent({ event, at }: BusEvent, context: EventContext, lightPlans: boolean): Fields {
  return {
    ...translated(event.type, event.fields, context, lightPlans),
    eventType: event.type,
    timestamp: isoTime(at),
  };
}

/** Fields that the core tells in our words, in Marathon's. */
function translated(type: string, fields: Fields, context: EventContext, lightPlans: boolean): Fields {
  switch (type) {
    case 'api_post_event': {
      const { app, ...rest } = fields;
      return { ...rest, appDefinition: presentApp(app as App) };
    }
    case 'scheduler_registered_event':
    case 'scheduler_reregistered_event':
      return { ...fields, master: context.master };
    case 'status_update_event':
      return typeof fields['source'] === 'string'
        ? { ...fields, source: `SOURCE_${fields['source'].toUpperCase()}` }
        : fields;
    case 'instance_changed_event':
      return { ...fields, condition: conditionName(fields['condition'] as Condition) };
    case 'unknown_instance_terminated_event':
      return unknownInstance(fields);
    case 'add_health_check_event':
    case 'failed_health_check_event':
      // Of a check that failed it is not always known.
      return fields['healthCheck'] === undefined
        ? fields
        : { ...fields, healthCheck: presentHealthCheck(fields['healthCheck'] as HealthCheck) };
    case 'deployment_failed':
    case 'deployment_info':
    case 'deployment_step_failure':
    case 'deployment_step_success':
    case 'deployment_success':
      return { ...fields, plan: presentPlan(fields['plan'] as Deployment, context.world, lightPlans) };
    default:
      return fields;
  }
}

function presentPlan(deployment: Deployment, world: World, light: boolean): Fields {
  const { id, steps, version, affectedApps, original } = deployment;
  if (light) return { id, steps, version };
  const before = affectedApps.flatMap((app) => original[app] ?? []);
  const after = affectedApps.flatMap((app) => world.apps.get(app) ?? []);
  return { id, steps, version, original: group(before, version), target: group(after, version) };
}

/** The root group as a plan shows it: only with what the deployment touches. */
const group = (apps: readonly App[], version: string): Fields => ({
  id: '/',
  version,
  apps: apps.length > maxAppsInPlan ? [] : apps.map(presentApp),
  groups: [],
  pods: [],
  dependencies: [],
});

/** Nothing is known of the task but its id, which holds the app's: `/` became `_`, which no app id has. */
function unknownInstance(fields: Fields): Fields {
  const task = fields['instanceId'] as TaskId;
  const app = task.split('.')[0] ?? '';
  return {
    ...fields,
    instanceId: instanceIdOf(task),
    runSpecId: `/${app.replaceAll('_', '/')}`,
    condition: conditionName(fields['condition'] as Condition),
  };
}

/** `gone-by-operator` → `GoneByOperator` */
const conditionName = (condition: Condition): string =>
  condition
    .split('-')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('');
