import type { Attribute, Offer as MesosOffer } from '../../../proto/mesos.gen.ts';
import { reservedRoles, totalAmounts, unreserved } from '../../../src/mesos/resources.ts';
import { agentId, executorId, offerId } from '../../../src/model/ids.ts';
import type { Offer } from '../../core/events.ts';

/** A Mesos offer in our words. What is reserved in it is reserved for a role of ours, or it would not be offered. */
export function offerOf(offer: MesosOffer): Offer {
  const resources = offer.resources ?? [];
  const { scalars, ports } = totalAmounts(resources, [unreserved]);
  const reserved = totalAmounts(resources, reservedRoles(resources));
  const { region, zone } = offer.domain?.fault_domain ?? {};
  const { start, duration } = offer.unavailability ?? {};
  return {
    id: offerId(offer.id.value),
    agentId: agentId(offer.agent_id.value),
    hostname: offer.hostname,
    ...(offer.url === undefined ? {} : { agentPort: offer.url.address.port }),
    scalars,
    ports,
    ...(reservedRoles(resources).length === 0 ? {} : { reserved }),
    attributes: attributesOf(offer.attributes ?? []),
    executorIds: (offer.executor_ids ?? []).map(({ value }) => executorId(value)),
    ...(region === undefined ? {} : { region: region.name }),
    ...(zone === undefined ? {} : { zone: zone.name }),
    ...(start === undefined ? {} : { unavailableFrom: toMs(start) }),
    ...(start === undefined || duration === undefined
      ? {}
      : { unavailableUntil: toMs(start) + toMs(duration) }),
  };
}

const toMs = ({ nanoseconds }: { readonly nanoseconds: number }): number =>
  Math.floor(nanoseconds / 1_000_000);

/** By name; of several with one name Mesos uses the first. */
function attributesOf(attributes: readonly Attribute[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const attribute of attributes) result[attribute.name] ??= attributeText(attribute);
  return result;
}

/** Text as it is, numbers with at most three decimals, ranges `[1-2,5-7]` and sets `{a,b}` in order. */
function attributeText(attribute: Attribute): string {
  switch (attribute.type) {
    case 'TEXT':
      return attribute.text?.value ?? '';
    case 'SCALAR':
      return String(Math.round((attribute.scalar?.value ?? 0) * 1000) / 1000);
    case 'RANGES': {
      const ranges = (attribute.ranges?.range ?? []).toSorted((a, b) => a.begin - b.begin);
      return `[${ranges.map(({ begin, end }) => `${begin}-${end}`).join(',')}]`;
    }
    case 'SET':
      return `{${(attribute.set?.item ?? []).toSorted().join(',')}}`;
  }
}
