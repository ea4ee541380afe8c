import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const asker = new URL('dns-asker.mjs', import.meta.url).pathname;

/** What came back: `NOERROR`, `NXDOMAIN` …, or `TIMEOUT`. */
export interface DnsAnswer {
  readonly rcode: string;
  readonly answers: readonly { readonly type: string; readonly data: unknown; readonly ttl: number }[];
}

export interface DnsQuestion {
  readonly name: string;
  readonly type?: 'A' | 'AAAA' | 'PTR' | 'SRV';
  readonly tcp?: boolean;
}

/** Asks one name server from inside the network namespace of a process. */
export class DnsClient {
  readonly #child: ChildProcess;
  readonly #server: string;
  readonly #waiting = new Map<number, (answer: DnsAnswer) => void>();
  #lastId = 0;

  constructor(pid: number, server: string) {
    this.#server = server;
    const args = ['-t', String(pid), '-n', process.execPath, asker];
    this.#child = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const { id, ...answer } = JSON.parse(line) as DnsAnswer & { id: number };
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  ask({ name, type = 'A', tcp = false }: DnsQuestion): Promise<DnsAnswer> {
    const id = (this.#lastId += 1);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin!.write(`${JSON.stringify({ id, server: this.#server, name, type, tcp })}\n`);
    });
  }

  /** The addresses of a name, sorted; the answer's code when there are none. */
  async addresses(name: string): Promise<readonly string[] | string> {
    const { rcode, answers } = await this.ask({ name });
    return answers.length === 0 ? rcode : answers.map(({ data }) => String(data)).toSorted();
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
