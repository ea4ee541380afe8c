import type { AgentId } from '../model/ids.ts';
import type { View, ViewEndpoint } from './view.ts';

const found = new WeakMap<
  readonly ViewEndpoint[],
  { readonly host: AgentId; readonly own: readonly ViewEndpoint[] }
>();

/**
 * The endpoints that are plugged in on the host. All parts of an executor ask this of each view, which may have many
 * thousands of others: it is looked for once.
 */
export function endpointsOn({ endpoints }: View, host: AgentId): readonly ViewEndpoint[] {
  const known = found.get(endpoints);
  if (known?.host === host) return known.own;
  const own = endpoints.filter((endpoint) => endpoint.host === host);
  found.set(endpoints, { host, own });
  return own;
}
