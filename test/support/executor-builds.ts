import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectRoot } from '../../src/devcluster/project.ts';
import { run } from '../../src/runtime/process.ts';

/**
 * The build's output in a directory of its own, whose executor can be replaced by another build: schedulers that are
 * started later hand out that one. Remove it with close().
 */
export class ExecutorBuilds {
  readonly distDir: string;
  readonly #executorDir: string;
  #builds = 0;

  constructor() {
    const built = path.join(projectRoot(), 'dist');
    this.distDir = mkdtempSync(path.join(tmpdir(), 'ppdist-'));
    this.#executorDir = path.join(this.distDir, 'executor');
    mkdirSync(this.#executorDir);
    for (const name of readdirSync(built)) {
      if (name !== 'executor') symlinkSync(path.join(built, name), path.join(this.distDir, name));
    }
    for (const name of readdirSync(path.join(built, 'executor')))
      symlinkSync(path.join(built, 'executor', name), path.join(this.#executorDir, name));
  }

  /** Packs another executor: the same program with one line more, so another hash, file and name of the build. */
  async next(): Promise<string> {
    this.#builds += 1;
    const manifest = path.join(this.#executorDir, 'manifest.json');
    const { file } = JSON.parse(readFileSync(manifest, 'utf8')) as { file: string };
    const unpacked = path.join(this.distDir, 'unpacked');
    await rm(unpacked, { recursive: true, force: true });
    mkdirSync(unpacked);
    const timeoutMs = 60_000;
    await run('tar', ['-xzf', path.join(this.#executorDir, file), '-C', unpacked], { timeoutMs });
    appendFileSync(
      path.join(unpacked, 'patchpanel-executor', 'executor.cjs'),
      `\n// build ${this.#builds}\n`,
    );
    const packed = path.join(this.distDir, 'packed.tar.gz');
    await run('tar', ['-I', 'gzip -1', '-cf', packed, '-C', unpacked, 'patchpanel-executor'], { timeoutMs });
    const sha256 = createHash('sha256').update(readFileSync(packed)).digest('hex');
    const build = sha256.slice(0, 12);
    const name = `patchpanel-executor-${build}.tar.gz`;
    renameSync(packed, path.join(this.#executorDir, name));
    // A link to the real build is replaced, never written through.
    await rm(manifest);
    await writeFile(manifest, JSON.stringify({ file: name, sha256, build }));
    return build;
  }

  close(): Promise<void> {
    return rm(this.distDir, { recursive: true, force: true });
  }
}
