import { readFileSync } from 'node:fs';
import { messageOf, PatchpanelError } from '../runtime/errors.ts';

/** How the masters and agents of a cluster are spoken to, in the words of libprocess, which all of them are built on. */
export interface MesosTls {
  /** Whether addresses without a scheme are https. */
  readonly enabled: boolean;
  /** PEM files: whom to trust instead of the usual authorities, and how to show who we are. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** False: whoever answers is believed. */
  readonly verify: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads `LIBPROCESS_SSL_…`. Of the older names without the prefix only SSL_ENABLED is one: SSL_CERT_FILE means something
 * else to others. Unlike libprocess it verifies servers unless it is told not to. undefined when there is none of them.
 */
export function readMesosTls(variables: Variables): MesosTls | undefined {
  const read = (name: string): string | undefined => variables[`LIBPROCESS_SSL_${name}`] || undefined;
  const enabled = isTrue(read('ENABLED')) || isTrue(variables['SSL_ENABLED']);
  const [caFile, certFile, keyFile] = [read('CA_FILE'), read('CERT_FILE'), read('KEY_FILE')];
  const verify = read('VERIFY_SERVER_CERT') ?? read('VERIFY_CERT');
  if (!enabled && caFile === undefined && certFile === undefined && verify === undefined) return undefined;
  return {
    enabled,
    verify: verify === undefined || isTrue(verify),
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}

/** Whether a variable of Mesos says yes. */
export const isTrue = (value: string | undefined): boolean =>
  value === '1' || value?.toLowerCase() === 'true';

/** What Node's connections take. */
export interface TlsMaterial {
  readonly rejectUnauthorized: boolean;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * Reads the files.
 * @throws PatchpanelError `invalid` that names the one which cannot be read
 */
export function loadTls({ caFile, certFile, keyFile, verify }: MesosTls): TlsMaterial {
  return {
    rejectUnauthorized: verify,
    ...(caFile === undefined ? {} : { ca: readPem('CA_FILE', caFile) }),
    ...(certFile === undefined ? {} : { cert: readPem('CERT_FILE', certFile) }),
    ...(keyFile === undefined ? {} : { key: readPem('KEY_FILE', keyFile) }),
  };
}

function readPem(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new PatchpanelError('invalid', `LIBPROCESS_SSL_${name}: cannot read ${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
