import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { codeOf, PatchpanelError } from '../runtime/errors.ts';
import { run } from '../runtime/process.ts';
import { tarArchive, type ArchiveEntry } from './archive.ts';
import { projectRoot } from './project.ts';

/** A shell and the usual small programs, nothing started by itself. */
export const busyboxImage = 'patchpanel/busybox:1';

/** Answers HTTP on port 80 with slot, host name, address, version and task as JSON. */
export const demoImage = 'patchpanel/demo:1';

/** Label that tells whether an image is the one that would be built now. */
const contentLabel = 'patchpanel.content';

interface ImageSpec {
  readonly name: string;
  readonly entries: readonly ArchiveEntry[];
  /** Instructions as in a Dockerfile. */
  readonly changes: readonly string[];
}

/**
 * Makes the images of the demo and the tests out of the machine's static busybox, without a registry. One that is
 * there with the same content is left alone.
 * @throws PatchpanelError `not-found` when there is no static busybox, `external` when Docker refuses
 */
export async function ensureImages(docker: Docker): Promise<void> {
  const base = await busyboxEntries();
  await ensureImage(docker, { name: busyboxImage, entries: base, changes: ['ENV PATH=/bin', 'CMD ["sh"]'] });
  await ensureImage(docker, {
    name: demoImage,
    entries: [...base, ...(await folderEntries('demo'))],
    changes: ['ENV PATH=/bin', 'EXPOSE 80', 'ENTRYPOINT ["/bin/serve"]'],
  });
}

async function ensureImage(docker: Docker, spec: ImageSpec): Promise<void> {
  const archive = tarArchive(spec.entries);
  const content = createHash('sha256').update(archive).update(JSON.stringify(spec.changes)).digest('hex');
  if ((await contentOf(docker, spec.name)) === content) return;
  const [repo = spec.name, tag = 'latest'] = spec.name.split(':');
  const changes = [...spec.changes, `LABEL ${contentLabel}=${content}`];
  const answer = await docker.importImage(Readable.from([archive]), { repo, tag, changes });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve()));
  });
  if ((await contentOf(docker, spec.name)) !== content)
    throw new PatchpanelError('external', `Docker took the image ${spec.name} but does not show it`);
}

async function contentOf(docker: Docker, name: string): Promise<string | undefined> {
  try {
    const image = await docker.getImage(name).inspect();
    return image.Config.Labels?.[contentLabel];
  } catch (error) {
    if (error !== null && typeof error === 'object' && 'statusCode' in error && error.statusCode === 404)
      return undefined;
    throw error;
  }
}

async function busyboxEntries(): Promise<readonly ArchiveEntry[]> {
  const content = await staticBusybox();
  const ours = await folderEntries('busybox');
  const taken = new Set(['', 'busybox', ...ours.map((entry) => path.basename(entry.path))]);
  const applets = (await run('busybox', ['--list'])).split('\n').filter((name) => !taken.has(name));
  return [
    ...['bin', 'etc', 'proc', 'sys', 'dev', 'root', 'run'].map(directory),
    { kind: 'directory', path: 'tmp', mode: 0o1777 },
    { kind: 'file', path: 'bin/busybox', mode: 0o755, content },
    ...applets.map((name): ArchiveEntry => ({ kind: 'symlink', path: `bin/${name}`, target: 'busybox' })),
    ...ours,
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
    file('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
  ];
}

async function staticBusybox(): Promise<Buffer> {
  const missing = 'no static busybox: install the package busybox-static (deploy/setup.sh does)';
  try {
    const content = await readFile('/bin/busybox');
    // A program that needs a loader names it in its first pages (the ELF interpreter).
    if (content.subarray(0, 4_096).includes('/ld-')) throw new PatchpanelError('not-found', missing);
    return content;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new PatchpanelError('not-found', missing, { cause: error });
    throw error;
  }
}

const directory = (name: string): ArchiveEntry => ({ kind: 'directory', path: name, mode: 0o755 });

const file = (name: string, text: string): ArchiveEntry => ({
  kind: 'file',
  path: name,
  mode: 0o644,
  content: Buffer.from(text),
});

/** All files of an image's folder, executable, in a fixed order. */
async function folderEntries(image: string): Promise<readonly ArchiveEntry[]> {
  const root = path.join(projectRoot(), 'deploy/images', image);
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const names = found.map((each) => ({
    each,
    name: path.relative(root, path.join(each.parentPath, each.name)),
  }));
  names.sort((a, b) => (a.name < b.name ? -1 : 1));
  return Promise.all(
    names
      .filter(({ name }) => name !== 'bin')
      .map(async ({ each, name }): Promise<ArchiveEntry> => {
        if (each.isDirectory()) return directory(name);
        return { kind: 'file', path: name, mode: 0o755, content: await readFile(path.join(root, name)) };
      }),
  );
}
