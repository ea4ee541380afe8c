import { z } from 'zod';

/** Credentials as Docker's API takes them with a pull. */
export interface RegistryCredentials {
  readonly serveraddress: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

const entrySchema = z.object({
  /** `user:password` in base64. */
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const authsSchema = z.record(z.string(), z.unknown());

/** Docker Hub as Docker's own files name it. */
const hub = 'https://index.docker.io/v1/';

/** The host (and port) of the registry that an image comes from; that of Docker Hub is `docker.io`. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const isHost = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost');
  return isHost ? normalised(first) : 'docker.io';
}

/**
 * The credentials for an image in a file of Docker's: `config.json` or the older `.dockercfg`. Helpers
 * (`credHelpers`, `credsStore`) are programs of the machine where it was written: they are not run.
 */
export function credentialsFor(image: string, config: string): RegistryCredentials | undefined {
  const registry = registryOf(image);
  const content = authsSchema.safeParse(parsed(config)).data ?? {};
  const auths = authsSchema.safeParse(content['auths']).data ?? content;
  for (const [server, value] of Object.entries(auths)) {
    const entry = entrySchema.safeParse(value).data;
    if (entry === undefined || normalised(server) !== registry) continue;
    const found = credentialsOf(entry);
    if (found !== undefined) return { serveraddress: registry === 'docker.io' ? hub : registry, ...found };
  }
  return undefined;
}

function credentialsOf(
  entry: z.infer<typeof entrySchema>,
): Omit<RegistryCredentials, 'serveraddress'> | undefined {
  const { auth, username, password, identitytoken } = entry;
  if (identitytoken !== undefined && identitytoken !== '') return { identitytoken };
  if (username !== undefined && password !== undefined) return { username, password };
  const text = auth === undefined ? '' : decoded(auth);
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** `https://registry:5000/v2/` → `registry:5000`; Docker Hub has several names. */
function normalised(server: string): string {
  const host = server
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase();
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

const decoded = (base64: string): string =>
  new TextDecoder().decode(Uint8Array.from(globalThis.atob(base64), (char) => char.codePointAt(0) ?? 0));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
