import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type Docker from 'dockerode';
import { Parser } from 'tar';
import { listeningUrl } from './machine.ts';

interface Blob {
  readonly type: string;
  readonly bytes: Buffer;
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';

/** A registry with one image, for one user; see startRegistry. */
export interface TestRegistry {
  /** `127.0.0.1:port`, a registry that Docker speaks plain HTTP to. */
  readonly host: string;
  /** The name to pull the image by. */
  readonly image: string;
  /** A Docker configuration with the user's credentials. */
  readonly config: string;
  close(): Promise<void>;
}

/** Serves an image of the engine by the registry's protocol (v2), to a user with a password only. */
export async function startRegistry(docker: Docker, source: string): Promise<TestRegistry> {
  const credentials = Buffer.from('ann:hunter2').toString('base64');
  const blobs = await blobsOf(docker, source);
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.headers.authorization !== `Basic ${credentials}`) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="test"' }).end();
      return;
    }
    if (request.url === '/v2/') return void response.writeHead(200).end();
    const blob = blobs.get(request.url?.split('/').at(-1) ?? '');
    if (blob === undefined) return void response.writeHead(404).end();
    const headers = { 'Content-Type': blob.type, 'Docker-Content-Digest': digestOf(blob.bytes) };
    response.writeHead(200, { ...headers, 'Content-Length': blob.bytes.length });
    response.end(request.method === 'HEAD' ? undefined : blob.bytes);
  };
  const server = createServer(answer);
  const { host } = new URL(await listeningUrl(server));
  return {
    host,
    image: `${host}/private/web:1`,
    config: JSON.stringify({ auths: { [host]: { auth: credentials } } }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Config and layers by digest, and the manifest by digest and as `1`. */
async function blobsOf(docker: Docker, source: string): Promise<ReadonlyMap<string, Blob>> {
  const files = await savedFiles(docker, source);
  const [saved] = JSON.parse(files.get('manifest.json')?.toString() ?? '[]') as {
    Config: string;
    Layers: string[];
  }[];
  const blob = (type: string, file: string): Blob => ({ type, bytes: files.get(file) ?? Buffer.alloc(0) });
  const config = blob('application/vnd.docker.container.image.v1+json', saved?.Config ?? '');
  const layers = (saved?.Layers ?? []).map((file) =>
    blob('application/vnd.docker.image.rootfs.diff.tar', file),
  );
  const describe = ({ type, bytes }: Blob) => ({
    mediaType: type,
    size: bytes.length,
    digest: digestOf(bytes),
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: describe(config),
    layers: layers.map(describe),
  };
  const described = { type: manifestType, bytes: Buffer.from(JSON.stringify(manifest)) };
  const all = [config, ...layers, described];
  return new Map([...all.map((each) => [digestOf(each.bytes), each] as const), ['1', described]]);
}

/** The files of `docker save`. */
async function savedFiles(docker: Docker, source: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const archive = await docker.getImage(source).get();
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({
      onReadEntry: (entry) => {
        const chunks: Buffer[] = [];
        entry.on('data', (chunk: Buffer) => void chunks.push(chunk));
        entry.on('end', () => void files.set(entry.path, Buffer.concat(chunks)));
      },
    });
    parser.on('end', resolve);
    archive.on('error', reject);
    archive.pipe(parser);
  });
  return files;
}
