import type { Change } from './plan.ts';

/** What is configured of an app; undefined: there is no such app. */
export type AppConfig = { readonly instances: number; readonly round: string } | undefined;

/** What each app may be configured as: one thing, or several while the outcome of a request is not known. */
export type Expectations = ReadonlyMap<string, readonly AppConfig[]>;

/** How a request ended. `unknown`: nobody answered, it may have been done or not. */
export type Outcome = 'acknowledged' | 'unknown';

const spareConfig = { instances: 1, round: '0' };

/** What is expected after a request: what was acknowledged must be there, what was not may be. */
export function afterChange(expected: Expectations, change: Change, outcome: Outcome): Expectations {
  const before = expected.get(change.app) ?? [undefined];
  const done = before.map((config) => changed(config, change));
  return new Map([
    ...expected,
    [change.app, distinct(outcome === 'acknowledged' ? done : [...before, ...done])],
  ]);
}

/** What is expected once it was seen what is. */
export function afterLook(expected: Expectations, seen: ReadonlyMap<string, AppConfig>): Expectations {
  return new Map(
    [...expected].map(([app, configs]) => [app, configs.filter((each) => same(each, seen.get(app)))]),
  );
}

/** What is wrong about the apps that are there. */
export function writesLost(expected: Expectations, seen: ReadonlyMap<string, AppConfig>): readonly string[] {
  const wrong = [...expected]
    .filter(([app, configs]) => !configs.some((config) => same(config, seen.get(app))))
    .map(([app, configs]) => `${app} is ${textOf(seen.get(app))}, not ${configs.map(textOf).join(' or ')}`);
  const strangers = [...seen.keys()].filter((app) => !expected.has(app));
  return [...wrong, ...strangers.map((app) => `${app} is there, nobody asked for it`)];
}

function changed(config: AppConfig, change: Change): AppConfig {
  switch (change.kind) {
    case 'create':
      return spareConfig;
    case 'remove':
      return undefined;
    case 'redeploy':
      return config && { ...config, round: change.round };
    case 'scale':
      return config && { ...config, instances: change.instances };
  }
}

const same = (one: AppConfig, other: AppConfig): boolean =>
  one?.instances === other?.instances && one?.round === other?.round;

const distinct = (configs: readonly AppConfig[]): readonly AppConfig[] =>
  configs.filter((config, index) => configs.findIndex((other) => same(config, other)) === index);

const textOf = (config: AppConfig): string =>
  config === undefined ? 'absent' : `round ${config.round} × ${config.instances}`;
