import type { App } from '../../../src/model/app.ts';
import { exposeLabel, parseExposure, type Exposure } from '../../../src/fabric/publication.ts';

/** A port mapping that is published on hosts. */
export interface ExposedPort {
  /** Number of the mapping in the app's definition. */
  readonly index: number;
  readonly port: number;
  readonly protocols: readonly ('tcp' | 'udp')[];
  readonly exposure: Exposure;
}

/** The published ports of an app; none on the host's network. */
export function exposedPorts(app: App): readonly ExposedPort[] {
  if (app.network.mode === 'host') return [];
  return app.container.portMappings.flatMap(({ labels, containerPort, protocol }, index) => {
    const text = labels[exposeLabel];
    const exposure = text === undefined ? undefined : parseExposure(text);
    if (exposure === undefined || 'problem' in exposure) return [];
    const protocols = protocol === 'udp,tcp' ? (['tcp', 'udp'] as const) : [protocol];
    return [{ index, port: containerPort, protocols, exposure }];
  });
}
