import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { withDeadline } from '../../runtime/deadline.ts';
import { run } from '../../runtime/process.ts';
import { projectRoot } from '../project.ts';
import {
  knockFiguresSchema,
  wireFiguresSchema,
  type KnockFigures,
  type WireFigures,
} from './wire-figures.ts';

const startMs = 10_000;
const measureMs = 30_000;

/** A program that is run inside the network namespace of a process. */
const inside = (pid: number, ...args: readonly string[]): readonly string[] => [
  '--target',
  String(pid),
  '--net',
  process.execPath,
  path.join(projectRoot(), 'dist', 'bench-wire.js'),
  ...args,
];

/** The answering side of a measurement, in a namespace. */
export class WireServer {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it listens. @throws PatchpanelError `deadline` */
  static async start(pid: number): Promise<WireServer> {
    const child = spawn('nsenter', inside(pid, 'serve'), { stdio: ['ignore', 'pipe', 'inherit'] });
    const server = new WireServer(child);
    try {
      await withDeadline(once(child.stdout, 'data'), startMs, 'the start of a server for the measurement');
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** Sends from the namespace of `pid` to a server at `ip`. @throws PatchpanelError `external` when it does not get through */
export async function measureWire(pid: number, ip: string): Promise<WireFigures> {
  const output = await run('nsenter', inside(pid, 'measure', ip), { timeoutMs: measureMs });
  return wireFiguresSchema.parse(JSON.parse(output));
}

/** New connections to a web server at `ip` from the namespace of `pid`, until the returned function is called. */
export function startKnocking(pid: number, ip: string): () => Promise<KnockFigures> {
  const child = spawn('nsenter', inside(pid, 'knock', ip), { stdio: ['pipe', 'pipe', 'inherit'] });
  const output = text(child.stdout);
  return async () => {
    child.stdin.end();
    return knockFiguresSchema.parse(
      JSON.parse(await withDeadline(output, measureMs, 'the end of the connections')),
    );
  };
}
