import { z } from 'zod';
import { mesosCodec } from './codec.ts';

/** A master as it announces itself in ZooKeeper. */
export interface AnnouncedMaster {
  readonly id: string;
  /** `ip:port`; the name where there is no address. */
  readonly address: string;
}

/** `json.info_0000000007` (Mesos 0.24 and later) or `info_0000000007` (binary, before). */
const nodeName = /^(json\.)?info_(\d{10})$/;

const masterInfoSchema = z.object({
  id: z.string(),
  ip: z.number().optional(),
  port: z.number().default(5050),
  hostname: z.string().optional(),
  address: z
    .object({ ip: z.string().optional(), hostname: z.string().optional(), port: z.number() })
    .optional(),
});

/** The masters' nodes among all nodes of their group, the leading one, which is the oldest, first. */
export const masterNodes = (names: readonly string[]): readonly string[] =>
  names.filter((name) => nodeName.test(name)).toSorted((a, b) => Number(a.slice(-10)) - Number(b.slice(-10)));

/** Who announces itself in a node of this name; undefined when nobody can tell. */
export function decodeMaster(name: string, data: Buffer): AnnouncedMaster | undefined {
  try {
    const decoded: unknown = name.startsWith('json.')
      ? JSON.parse(data.toString('utf8'))
      : mesosCodec.decode('MasterInfo', data, 'protobuf');
    const { id, ip, port, hostname, address } = masterInfoSchema.parse(decoded);
    const host = address?.ip ?? (ip === undefined ? undefined : dotted(ip)) ?? address?.hostname ?? hostname;
    return host === undefined ? undefined : { id, address: `${bracketed(host)}:${address?.port ?? port}` };
  } catch {
    return undefined;
  }
}

/** The address as four bytes in network order, read as a little-endian number. */
const dotted = (ip: number): string => [0, 8, 16, 24].map((shift) => (ip >>> shift) & 0xff).join('.');

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
