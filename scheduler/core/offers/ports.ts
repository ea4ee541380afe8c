import type { App } from '../../../src/model/app.ts';
import type { PortRange } from '../../../src/model/resources.ts';

/** The host ports that an instance of the app takes: a number that is demanded, or `any`. */
export function wantedPorts(app: App): readonly (number | 'any')[] {
  if (app.network.mode === 'host') {
    return app.portDefinitions.map(({ port }) => (app.requirePorts && port > 0 ? port : 'any'));
  }
  return app.container.portMappings.flatMap(({ hostPort }) =>
    hostPort === undefined ? [] : [hostPort > 0 ? hostPort : 'any'],
  );
}

/**
 * Chooses ports from the ranges, in the order wanted, or undefined when they do not suffice. `seed` decides where the search for a port of
 * any number begins, so that a port that was just given up is not the next one given out.
 */
export function choosePorts(
  ranges: readonly PortRange[],
  wanted: readonly (number | 'any')[],
  seed: number,
): readonly number[] | undefined {
  if (wanted.length === 0) return [];
  let rest = ranges;
  const ports: number[] = [];
  for (const port of wanted) if (port !== 'any') rest = without(rest, port);
  for (const port of wanted) {
    if (port !== 'any' && (!contains(ranges, port) || ports.includes(port))) return undefined;
    const chosen = port === 'any' ? nth(rest, seed) : port;
    if (chosen === undefined) return undefined;
    if (port === 'any') rest = without(rest, chosen);
    ports.push(chosen);
  }
  return ports;
}

const sizeOf = ({ begin, end }: PortRange): number => end - begin + 1;

const contains = (ranges: readonly PortRange[], port: number): boolean =>
  ranges.some(({ begin, end }) => port >= begin && port <= end);

function nth(ranges: readonly PortRange[], seed: number): number | undefined {
  const total = ranges.reduce((sum, range) => sum + sizeOf(range), 0);
  if (total === 0) return undefined;
  let index = seed % total;
  for (const range of ranges) {
    if (index < sizeOf(range)) return range.begin + index;
    index -= sizeOf(range);
  }
  return undefined;
}

/** The ranges without one port. */
export function without(ranges: readonly PortRange[], port: number): readonly PortRange[] {
  return ranges.flatMap((range) => {
    if (port < range.begin || port > range.end) return [range];
    const below = { begin: range.begin, end: port - 1 };
    const above = { begin: port + 1, end: range.end };
    return [below, above].filter((part) => part.begin <= part.end);
  });
}
