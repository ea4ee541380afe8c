import type { FrameworkInfo } from '../../../../proto/mesos.gen.ts';
import { hasCapability, rolesOf } from './task-states.ts';

/** Seconds that fit Mesos's durations (64-bit nanoseconds). */
const longestTimeout = 2 ** 63 / 1e9;

/**
 * Why a subscription is refused, in Mesos's manner; undefined when it is fine. `known` is what the framework said
 * when it subscribed before.
 */
export function checkFramework(
  info: FrameworkInfo,
  suppressed: readonly string[],
  known: FrameworkInfo | undefined,
): string | undefined {
  return (
    checkRoles(info, suppressed) ??
    checkTimeout(info) ??
    (known !== undefined && known.principal !== info.principal
      ? "Changing framework's principal is not allowed."
      : undefined)
  );
}

function checkRoles(info: FrameworkInfo, suppressed: readonly string[]): string | undefined {
  const multiRole = hasCapability(info, 'MULTI_ROLE');
  if (multiRole && info.role !== undefined) {
    return "'FrameworkInfo.role' must not be set when MULTI_ROLE capability is set";
  }
  if (!multiRole && (info.roles ?? []).length > 0) {
    return "'FrameworkInfo.roles' must not be set when MULTI_ROLE capability is not set";
  }
  const roles = rolesOf(info);
  if (new Set(roles).size < roles.length) return "'FrameworkInfo.roles' contains duplicate items";
  for (const role of roles) {
    const problem = checkRole(role);
    if (problem !== undefined) return `'FrameworkInfo.roles' contains invalid role: ${problem}`;
  }
  const stray = suppressed.find((role) => !roles.includes(role));
  return stray === undefined ? undefined : `Suppressed role '${stray}' is not contained in the list of roles`;
}

function checkRole(role: string): string | undefined {
  if (role === '*') return undefined;
  if (role === '') return 'Role name cannot be the empty string';
  if (role.startsWith('/') || role.endsWith('/')) return `Role '${role}' cannot start or end with a slash`;
  if (/[\s\p{Cc}]/u.test(role)) return `Role '${role}' cannot contain whitespace`;
  for (const part of role.split('/')) {
    if (part === '') return `Role '${role}' cannot contain two adjacent slashes`;
    if (part === '.' || part === '..' || part === '*') return `Role '${role}' cannot include '${part}'`;
    if (part.startsWith('-')) return `Role '${role}' cannot start with '-'`;
  }
  return undefined;
}

function checkTimeout({ failover_timeout: timeout = 0 }: FrameworkInfo): string | undefined {
  if (Number.isFinite(timeout) && Math.abs(timeout) < longestTimeout) return undefined;
  return "The framework's failover_timeout is invalid: Argument out of the range that a Duration can represent";
}
