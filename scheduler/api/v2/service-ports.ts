import { servicePortsOf, type App } from '../../../src/model/app.ts';
import type { World } from '../../core/world.ts';
import { HttpProblem } from '../problems.ts';
import type { AppJson } from './app-json.ts';

/** The range of automatic service ports: Marathon's. */
export const firstServicePort = 10_000;
export const lastServicePort = 20_000;

/**
 * Hands out service ports that no app declares and that it has not handed out for a request under way.
 * @throws HttpProblem 500 when the range is used up, as Marathon does
 */
export function servicePortAllocator(world: World, reserved: Set<number>): () => number {
  const inUse = (port: number) => world.servicePorts.has(port) || reserved.has(port);
  let next = firstServicePort;
  return () => {
    while (next <= lastServicePort && inUse(next)) next += 1;
    if (next > lastServicePort)
      throw new HttpProblem(
        500,
        `Unable to assign a service port: ${firstServicePort}-${lastServicePort} is used up`,
      );
    reserved.add(next);
    return next;
  };
}

/**
 * The automatic service ports of one definition: those that the app has already and that the definition does not name
 * itself, in their order, then new ones. So a definition that is put again does not change, as with Marathon.
 */
export function keptServicePorts(present: App | undefined, json: AppJson, next: () => number): () => number {
  const given = new Set([
    ...(json.ports ?? []),
    ...(json.portDefinitions ?? []).map(({ port }) => port),
    ...(json.container?.portMappings ?? []).map(({ servicePort }) => servicePort),
    ...(json.container?.docker?.portMappings ?? []).map(({ servicePort }) => servicePort),
  ]);
  const kept = (present === undefined ? [] : servicePortsOf(present)).filter(
    (port) => port >= firstServicePort && port <= lastServicePort && !given.has(port),
  );
  return () => kept.shift() ?? next();
}
