import type { AgentId, NetworkName } from '../model/ids.ts';
import { parseCidr } from './cidr.ts';
import type { Subnet } from './cidr.ts';
import { addressKey } from './object-key.ts';
import type { ObjectKey } from './object-key.ts';
import { endpointProblem, validateView } from './validate-view.ts';
import { endpointKey } from './view.ts';
import type { View, ViewEndpoint } from './view.ts';
import { compareViews } from './view-diff.ts';
import type { ViewDifference } from './view-diff.ts';

/**
 * Tells of one view after the other what validateView tells, at a cost of what changed since the last good one.
 * INVARIANT: what is remembered is that of a view with no problems, or nothing.
 */
export class ViewChecker {
  #good: GoodView | undefined;

  /** Why the view must not be put in force; empty: nothing speaks against it. */
  check(view: View): readonly string[] {
    if (this.#good?.follow(view) === true) return [];
    const problems = validateView(view);
    this.#good = problems.length === 0 ? new GoodView(view) : undefined;
    return problems;
  }
}

/** A view with no problems, by what others must not have as well. */
class GoodView {
  #view: View;
  readonly #subnets: ReadonlyMap<NetworkName, Subnet>;
  readonly #hosts: Set<AgentId>;
  readonly #keys = new Set<string>();
  readonly #addresses = new Map<ObjectKey, readonly ViewEndpoint[]>();
  readonly #macs = new Set<string>();

  constructor(view: View) {
    this.#view = view;
    this.#subnets = new Map(view.networks.map(({ name, cidr }) => [name, parseCidr(cidr)]));
    this.#hosts = new Set(view.hosts.map(({ id }) => id));
    for (const endpoint of view.endpoints) this.#put(endpoint);
  }

  /** Goes on to the next view. False: it may have problems, and this one is of no use any more. */
  follow(view: View): boolean {
    const difference = compareViews(this.#view, view);
    if (!isEasy(difference, view)) return false;
    for (const { after } of difference.hosts) if (after !== undefined) this.#hosts.add(after.id);
    for (const { before } of difference.endpoints) if (before !== undefined) this.#drop(before);
    for (const { after } of difference.endpoints) {
      if (after === undefined) continue;
      if (!this.#fits(after)) return false;
      this.#put(after);
    }
    this.#view = view;
    return true;
  }

  #fits(endpoint: ViewEndpoint): boolean {
    const subnet = this.#subnets.get(endpoint.network);
    if (subnet === undefined || !this.#hosts.has(endpoint.host) || this.#keys.has(endpointKey(endpoint)))
      return false;
    if (endpointProblem(endpoint, subnet) !== undefined) return false;
    const others = this.#addresses.get(addressKey(endpoint)) ?? [];
    const [first] = others;
    if (first === undefined) return !this.#macs.has(macKey(endpoint));
    if (first.slot !== endpoint.slot || first.mac !== endpoint.mac) return false;
    return endpoint.state !== 'active' || others.every(({ state }) => state !== 'active');
  }

  #put(endpoint: ViewEndpoint): void {
    const key = addressKey(endpoint);
    this.#keys.add(endpointKey(endpoint));
    this.#addresses.set(key, [...(this.#addresses.get(key) ?? []), endpoint]);
    this.#macs.add(macKey(endpoint));
  }

  #drop(endpoint: ViewEndpoint): void {
    const key = addressKey(endpoint);
    const own = endpointKey(endpoint);
    this.#keys.delete(own);
    const left = (this.#addresses.get(key) ?? []).filter((each) => endpointKey(each) !== own);
    if (left.length > 0) return void this.#addresses.set(key, left);
    this.#addresses.delete(key);
    this.#macs.delete(macKey(endpoint));
  }
}

/** Networks stay as they are, no host goes or has another address, and nothing is there twice. */
const isEasy = ({ networks, hosts }: ViewDifference, view: View): boolean =>
  networks.length === 0 &&
  hosts.every(({ before }) => before === undefined) &&
  (hosts.length === 0 || validateView({ ...view, networks: [], endpoints: [] }).length === 0);

const macKey = ({ network, mac }: ViewEndpoint): string => `${network}/${mac}`;
