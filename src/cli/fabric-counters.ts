import type { Command } from 'commander';
import type { DropInfo, TrafficInfo } from './api-types.ts';
import { ApiClient, type GlobalOptions } from './client.ts';
import { print, table } from './output.ts';

interface DropOptions extends GlobalOptions {
  readonly reason?: string;
  readonly host?: string;
  readonly slot?: string;
}

interface TrafficOptions extends GlobalOptions {
  readonly app?: string;
}

/** `patchpanel fabric drops` and `patchpanel fabric traffic` */
export function addCounterCommands(fabric: Command): void {
  fabric
    .command('drops')
    .description('what the switches dropped, by reason and endpoint, the most first')
    .option('--reason <name>', 'only this reason: fenced, spoofed, unknown-destination, …')
    .option('--host <name>', 'only this host')
    .option('--slot <slot>', 'only this slot, /web#0')
    .action((_options, command: Command) => listDrops(command.optsWithGlobals()));
  fabric
    .command('traffic')
    .description('what was delivered from app to app, the most first; "outside" is beyond the gateways')
    .option('--app <id>', 'only what this app sent or got')
    .action((_options, command: Command) => listTraffic(command.optsWithGlobals()));
}

async function listDrops({ reason, host, slot, ...options }: DropOptions): Promise<void> {
  const query = queryOf({ reason, host, slot });
  const { drops } = await new ApiClient(options).get<{ drops: DropInfo[] }>(`/v1/drops${query}`);
  print(options.json, drops, () =>
    table(
      ['REASON', 'HOST', 'SLOT', 'NETWORK', 'ADDRESS', 'PACKETS', 'BYTES', 'LAST'],
      drops.map((d) => [
        d.reason,
        d.host,
        d.slot === undefined || d.epoch === undefined ? d.slot : `${d.slot}@${d.epoch}`,
        d.network,
        d.ip,
        d.packets,
        d.bytes,
        d.lastAt,
      ]),
      'nothing was dropped',
    ),
  );
}

async function listTraffic({ app, ...options }: TrafficOptions): Promise<void> {
  const path = `/v1/traffic${queryOf({ app })}`;
  const { pairs } = await new ApiClient(options).get<{ pairs: TrafficInfo[] }>(path);
  print(options.json, pairs, () =>
    table(
      ['FROM', 'TO', 'PACKETS', 'BYTES', 'LAST'],
      pairs.map((p) => [p.from, p.to, p.packets, p.bytes, p.lastAt]),
      'nothing was delivered',
    ),
  );
}

function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? '' : `?${query.toString()}`;
}
