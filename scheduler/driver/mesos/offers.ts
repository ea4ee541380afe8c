import type { Attribute, Offer as MesosOffer } from '../../../proto/mesos.gen.ts';
import { totalAmounts } from '../../../src/mesos/resources.ts';
import { agentId, executorId, offerId } from '../../../src/model/ids.ts';
import type { Offer } from '../../core/events.ts';

/** A Mesos offer in our words; its resources are summed up over all roles that they are reserved for. */
export function offerOf(offer: MesosOffer): Offer {
  const { scalars, ports } = totalAmounts(offer.resources ?? []);
  const { region, zone } = offer.domain?.fault_domain ?? {};
  const start = offer.unavailability?.start.nanoseconds;
  return {
    id: offerId(offer.id.value),
    agentId: agentId(offer.agent_id.value),
    hostname: offer.hostname,
    scalars,
    ports,
    attributes: attributesOf(offer.attributes ?? []),
    executorIds: (offer.executor_ids ?? []).map(({ value }) => executorId(value)),
    ...(region === undefined ? {} : { region: region.name }),
    ...(zone === undefined ? {} : { zone: zone.name }),
    ...(start === undefined ? {} : { unavailableFrom: Math.floor(start / 1_000_000) }),
  };
}

/** By name; of several with one name Mesos uses the first. */
function attributesOf(attributes: readonly Attribute[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const attribute of attributes) result[attribute.name] ??= attributeText(attribute);
  return result;
}

/** Text as it is, numbers with at most three decimals, ranges `[1-2,5-7]`, sets `{a,b}`. */
function attributeText(attribute: Attribute): string {
  switch (attribute.type) {
    case 'TEXT':
      return attribute.text?.value ?? '';
    case 'SCALAR':
      return String(Math.round((attribute.scalar?.value ?? 0) * 1000) / 1000);
    case 'RANGES': {
      const ranges = attribute.ranges?.range ?? [];
      return `[${ranges.map(({ begin, end }) => `${begin}-${end}`).join(',')}]`;
    }
    case 'SET':
      return `{${(attribute.set?.item ?? []).join(',')}}`;
  }
}
