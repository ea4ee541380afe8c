import type { ObjectKey } from '../../../src/fabric/object-key.ts';
import { networkName, type AgentId } from '../../../src/model/ids.ts';
import type { World } from '../../core/world.ts';

/** Where frames were dropped and whose they were, as far as that is known. */
export interface DropPlace {
  /** Name of the host, or its agent id while that is not known. */
  readonly host: string;
  readonly slot?: string;
  readonly epoch?: number;
  readonly network?: string;
  readonly ip?: string;
}

/** A port's frames are one incarnation's, an address's are those that claim to be the slot's that has it now. */
export function dropPlace(world: World, agent: AgentId, subject: ObjectKey): DropPlace {
  return { host: world.hosts.get(agent)?.facts.hostname ?? agent, ...ownerOf(world, subject) };
}

function ownerOf(world: World, subject: ObjectKey): Omit<DropPlace, 'host'> {
  const text = subject.slice(subject.indexOf(':') + 1);
  if (subject.startsWith('network:')) return { network: text };
  if (subject.startsWith('port:')) {
    const at = text.lastIndexOf('@');
    return { slot: text.slice(0, at), epoch: Number(text.slice(at + 1)) };
  }
  if (!subject.startsWith('address:')) return {};
  const [network = '', ip = ''] = text.split('/');
  const holders = world.addresses.get(networkName(network))?.holders.get(ip) ?? [];
  const slot = [...holders].find((holder) => holder.includes('#'));
  return { network, ip, ...(slot === undefined ? {} : { slot }) };
}
