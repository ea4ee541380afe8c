import { maxInstances } from '../model/bounds.ts';
import type { AppId } from '../model/ids.ts';
import { objectNumber } from './cookie.ts';

/** DNS: a label has at most 63 bytes, a whole name 253. */
const maxLabel = 63;
const maxName = 253;
const labelPattern = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** True for what DNS takes as the name of a host or a domain: labels of a-z, 0-9 and "-", 253 characters in all. */
export const isDnsName = (text: string): boolean =>
  text.length <= maxName &&
  text.split('.').every((label) => label.length <= maxLabel && labelPattern.test(label));

/** The labels of an app's name, its own first: `/shop/db` → `db`, `shop`. A dot within a segment becomes a hyphen. */
const appLabels = (app: AppId): string[] =>
  app
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('.', '-'))
    .toReversed();

/** The name of an app within its network's domain: `/shop/db` → `db.shop`. */
export const appName = (app: AppId): string => appLabels(app).join('.');

/** The name of a slot within its network's domain: `/web` and 0 → `0.web`; `/shop/db` and 2 → `2.db.shop`. */
export const slotName = (app: AppId, index: number): string => `${index}.${appName(app)}`;

/**
 * What `hostname` prints inside a slot's container: one label, `0-web`, `2-db-shop`. One that would be longer than
 * a label may be is cut and ends in a number made of the whole, so that it stays distinct.
 */
export function containerHostname(app: AppId, index: number): string {
  const whole = `${index}-${appLabels(app).join('-')}`;
  if (whole.length <= maxLabel) return whole;
  const suffix = objectNumber(whole).toString(16).padStart(8, '0');
  return `${whole.slice(0, maxLabel - 1 - suffix.length).replace(/-+$/, '')}-${suffix}`;
}

/** `0.web` under `patchpanel.internal` → `0.web.patchpanel.internal`. */
export const fullName = (name: string, domain: string): string => `${name}.${domain}`;

/** Why DNS would refuse a full name, whose labels are good, for its length; undefined when it would not. */
export const lengthProblem = (full: string): string | undefined =>
  full.length <= maxName ? undefined : `${full} has ${full.length} characters; DNS allows ${maxName}`;

/**
 * Why the slots of an app cannot be named under a domain, or undefined when they can: a label or the whole name
 * that DNS would refuse.
 */
export function nameProblem(app: AppId, domain: string): string | undefined {
  const bad = appLabels(app).find((label) => label.length > maxLabel || !labelPattern.test(label));
  if (bad !== undefined) {
    return `"${bad}" in ${app} is not a DNS label (at most ${maxLabel} of a-z, 0-9 and "-", not "-" at an end)`;
  }
  const longest = fullName(slotName(app, maxInstances - 1), domain).length;
  if (longest <= maxName) return undefined;
  return `the names of ${app} under ${domain} have ${longest} characters; DNS allows ${maxName}: shorten the id`;
}
