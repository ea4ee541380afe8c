import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { networkName, type NetworkName } from '../../src/model/ids.ts';
import type { Network } from '../../src/model/network.ts';
import { messageOf, PatchpanelError } from '../../src/runtime/errors.ts';

const domain = 'patchpanel.internal';
const quarantineSeconds = 300;

/** The network that is there out of the box. */
export const defaultNetwork: Network = {
  name: networkName('default'),
  vni: 7,
  cidr: '10.32.0.0/16',
  domain,
  quarantineSeconds,
};

const fileSchema = z.array(
  z.strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?$/, 'must be lower-case letters, digits, - and _'),
    vni: z.int(),
    cidr: z.string(),
    range: z.string().optional(),
    mtu: z.int().min(576).max(9_000).optional(),
    domain: z.string().min(1).default(domain),
    nat: z.boolean().optional(),
    routes: z.array(z.string()).max(64).optional(),
    quarantineSeconds: z.int().nonnegative().default(quarantineSeconds),
  }),
);

/**
 * The networks that the configuration asks for, the default one first unless the file describes it itself.
 * @throws PatchpanelError `invalid` when the file cannot be read or is wrong
 */
export async function configuredNetworks(file: string | undefined): Promise<readonly Network[]> {
  const named = file === undefined ? [] : await readNetworks(file);
  return named.some(({ name }) => name === defaultNetwork.name) ? named : [defaultNetwork, ...named];
}

async function readNetworks(file: string): Promise<readonly Network[]> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(file, 'utf8'))).map(toNetwork);
  } catch (cause) {
    throw new PatchpanelError('invalid', `cannot use the networks in ${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function toNetwork({ range, mtu, nat, routes, ...rest }: z.infer<typeof fileSchema>[number]): Network {
  return {
    ...rest,
    name: networkName(rest.name),
    ...(range === undefined ? {} : { range }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(nat === undefined ? {} : { nat }),
    ...(routes === undefined ? {} : { routes: routes.map(networkName) }),
  };
}

/**
 * The configured networks that have to be stored: those that are not there. One that is there stays as it is, since
 * people may have changed it since.
 */
export function missingNetworks(
  configured: readonly Network[],
  stored: ReadonlyMap<NetworkName, Network>,
): readonly Network[] {
  return configured.filter(({ name }) => !stored.has(name));
}
