import type { App } from './app.ts';
import { parseDockerParameters } from './docker-parameters.ts';
import { fetchSource } from './fetch.ts';
import { handoverLabels } from './handover.ts';

/** What an operator may forbid all apps, because it reaches the host past the container. */
export const forbiddable = [
  'privileged',
  'host-volumes',
  'host-files',
  'host-network',
  'docker-parameters',
] as const;

export type Forbiddable = (typeof forbiddable)[number];

/** What the operator of a cluster lets apps ask for; it may be other than when an app was defined. */
export interface AppRules {
  readonly forbidden: readonly Forbiddable[];
  /** Docker parameters that are allowed besides those that always are. */
  readonly allowedParameters: ReadonlySet<string>;
}

/** What of a definition is against a rule, and where it is in the app's JSON. */
export interface RuleProblem {
  readonly path: string;
  readonly error: string;
}

/** Everything in a definition that may not be, whoever wants it and however it comes about. */
export const ruleProblems = (app: App, rules: AppRules): RuleProblem[] => [
  ...forbiddenProblems(app, rules.forbidden),
  ...(isSingleInstance(app.labels) ? singleInstanceProblems(app) : []),
  ...handoverObstacles(app),
  ...parseDockerParameters(app.container.parameters, rules.allowedParameters).problems.map(
    ({ index, message }) => ({ path: `/container/docker/parameters(${index})/key`, error: message }),
  ),
];

/** Whether an app's labels say that it may never have two instances. */
export const isSingleInstance = (labels: App['labels']): boolean =>
  labels['MARATHON_SINGLE_INSTANCE_APP'] === 'true';

function forbiddenProblems(
  { container, fetch, network }: App,
  forbidden: readonly Forbiddable[],
): RuleProblem[] {
  const asks: Readonly<Record<Forbiddable, string | undefined>> = {
    privileged: container.privileged ? '/container/docker/privileged' : undefined,
    'host-volumes': container.volumes.some((volume) => 'hostPath' in volume)
      ? '/container/volumes'
      : undefined,
    'host-files': fetch.some(({ uri }) => fetchSource(uri).kind === 'file') ? '/fetch' : undefined,
    'host-network': network.mode === 'host' ? '/networks' : undefined,
    'docker-parameters': container.parameters.length > 0 ? '/container/docker/parameters' : undefined,
  };
  return forbidden.flatMap((feature) => {
    const path = asks[feature];
    const error = `${feature} is forbidden on this cluster (--forbid ${feature})`;
    return path === undefined ? [] : [{ path, error }];
  });
}

function singleInstanceProblems({ instances, upgradeStrategy }: App): RuleProblem[] {
  const capacities = (['maximumOverCapacity', 'minimumHealthCapacity'] as const).filter(
    (name) => upgradeStrategy[name] !== 0,
  );
  return [
    ...(instances > 1
      ? [{ path: '/instances', error: 'Single instance app may only have one instance' }]
      : []),
    ...capacities.map((name) => ({
      path: `/upgradeStrategy/${name}`,
      error: 'must be 0 for a single instance app',
    })),
  ];
}

/**
 * What is asked for by its name is had, or refused: not something else in silence. Whatever the number of instances, so
 * that no label stands in the way of scaling.
 */
function handoverObstacles({ labels, network, upgradeStrategy }: App): RuleProblem[] {
  const mode = labels[handoverLabels.mode];
  if (mode !== 'drain' && mode !== 'swap') return [];
  const refused = (why: string): RuleProblem[] => [
    { path: `/labels/${handoverLabels.mode}`, error: `${mode} ${why}, or use recreate or no label` },
  ];
  if (network.mode === 'host') {
    return refused(
      "hands an address of the app's own over, and on the host's network it has none: use another network",
    );
  }
  const { maximumOverCapacity, minimumHealthCapacity } = upgradeStrategy;
  if (maximumOverCapacity === 0 && minimumHealthCapacity < 1) {
    return refused(
      'needs room for one beside the old one, and upgradeStrategy has old ones end first: raise maximumOverCapacity',
    );
  }
  return [];
}
