import type { AgentInfo } from '../../../../proto/mesos.gen.ts';
import type { Endpoint } from '../core/messages.ts';
import type { AgentOptions } from '../options.ts';

const defaultPorts = [{ begin: 31000, end: 32000 }];

/** What an agent tells the master of itself; the id comes from the master. */
export function agentInfo(options: AgentOptions, endpoint: Endpoint): AgentInfo {
  const { cpus, mem, disk, gpus = 0, ports = defaultPorts } = options.resources;
  const scalars = { cpus, mem, disk, gpus };
  const { region, zone } = options;
  return {
    hostname: options.hostname,
    port: endpoint.port,
    resources: [
      ...Object.entries(scalars)
        .filter(([, value]) => value > 0)
        .map(([name, value]) => ({ name, type: 'SCALAR' as const, scalar: { value } })),
      { name: 'ports', type: 'RANGES', ranges: { range: ports } },
    ],
    attributes: Object.entries(options.attributes ?? {}).map(([name, value]) =>
      typeof value === 'number'
        ? { name, type: 'SCALAR', scalar: { value } }
        : { name, type: 'TEXT', text: { value } },
    ),
    ...(region === undefined || zone === undefined
      ? {}
      : { domain: { fault_domain: { region: { name: region }, zone: { name: zone } } } }),
  };
}
