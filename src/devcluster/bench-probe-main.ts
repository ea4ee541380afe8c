import { Agent, request } from 'node:http';
import { messageOf } from '../runtime/errors.ts';
import { probeSpecSchema } from './bench/probe.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

interface Times {
  readonly total: number;
  readonly firstByte: number;
}

/** The milliseconds until the whole answer is here, and its first byte. */
function timed(method: string, url: string, body: string | undefined): Promise<Times> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const started = performance.now();
    const call = request(url, { agent, method, headers }, (answer) => {
      const status = answer.statusCode ?? 0;
      const firstByte = performance.now() - started;
      answer.on('error', reject).resume();
      answer.on('end', () => {
        if (status >= 200 && status < 300) resolve({ total: performance.now() - started, firstByte });
        else reject(new Error(`${method} ${url} was answered with ${status}`));
      });
    });
    call.on('error', reject).end(body);
  });
}

async function main(argument: string): Promise<void> {
  const { url, method, path, body, count, first } = probeSpecSchema.parse(JSON.parse(argument));
  const template = body === undefined ? undefined : JSON.stringify(body);
  const times: Times[] = [];
  for (let i = first; i < first + count; i += 1) {
    const number = String(i);
    times.push(
      await timed(method, url + path.replaceAll('{i}', number), template?.replaceAll('{i}', number)),
    );
  }
  const answer = {
    total: times.map(({ total }) => total),
    firstByte: times.map(({ firstByte }) => firstByte),
  };
  process.stdout.write(JSON.stringify(answer));
}

try {
  await main(process.argv[2] ?? '');
} catch (error) {
  process.stderr.write(`bench-probe: ${messageOf(error)}\n`);
  process.exitCode = 1;
} finally {
  agent.destroy();
}
