import type { App } from '../../../src/model/app.ts';
import { ruleProblems, type AppRules } from '../../../src/model/app-rules.ts';
import { maxAddedInstances, maxInstances } from '../../../src/model/bounds.ts';
import type { AppEdit } from './app-edits.ts';
import { isSameDefinition } from './app-versions.ts';
import type { ChangeResult } from '../events.ts';
import { instancesPath } from '../slots/addresses.ts';

/**
 * The refusal of edits that make an app what the rules do not let it be, or undefined. What an app is already it may
 * stay, with fewer instances, too: rules may have come after it.
 */
export function againstRules(edits: readonly AppEdit[], rules: AppRules): ChangeResult | undefined {
  const details = edits.flatMap(({ appId, before, after }) => {
    if (after === undefined || isNoMoreThan(before, after)) return [];
    return ruleProblems(after, rules).map(({ path, error }) => ({ appId, path, errors: [error] }));
  });
  return details.length === 0 ? undefined : { kind: 'invalid', details };
}

/**
 * The refusal of edits that make more instances than an app may have, or than can be added at once, or undefined. An app
 * that has more, from before the bound, may keep them and have fewer.
 */
export function beyondBounds(edits: readonly AppEdit[]): ChangeResult | undefined {
  let added = 0;
  for (const { appId, before, after } of edits) {
    const present = before?.instances ?? 0;
    const wanted = after?.instances ?? 0;
    if (wanted > Math.max(maxInstances, present)) {
      const error = `${wanted} are too many: an app may have ${maxInstances}`;
      return { kind: 'invalid', details: [{ appId, path: instancesPath, errors: [error] }] };
    }
    added += Math.max(0, wanted - present);
  }
  if (added <= maxAddedInstances) return undefined;
  const error = `${added} instances are too many to be added at once: one change may add ${maxAddedInstances}`;
  return { kind: 'invalid', details: [{ path: '/', errors: [error] }] };
}

const isNoMoreThan = (before: App | undefined, after: App): boolean =>
  before !== undefined &&
  after.instances <= before.instances &&
  isSameDefinition({ ...before, instances: after.instances }, after);
