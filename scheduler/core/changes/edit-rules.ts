import type { App } from '../../../src/model/app.ts';
import { ruleProblems } from '../../../src/model/app-rules.ts';
import type { AppRules } from '../../../src/model/app-rules.ts';
import type { AppEdit } from './app-edits.ts';
import { isSameDefinition } from './app-versions.ts';
import type { ChangeResult } from '../events.ts';

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

const isNoMoreThan = (before: App | undefined, after: App): boolean =>
  before !== undefined &&
  after.instances <= before.instances &&
  isSameDefinition({ ...before, instances: after.instances }, after);
