import { Agent, get, request } from 'node:http';
import { messageOf } from '../runtime/errors.ts';
import { streamsSpecSchema } from './bench/probe.ts';

const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });

interface Followed {
  readonly events: number;
  readonly bytes: number;
  /** When the last event was here. */
  readonly at: number;
}

/** Reads the event stream until it tells that a deployment has succeeded. */
function follow(url: string, onAttached: () => void): Promise<Followed> {
  return new Promise((resolve, reject) => {
    const call = get(`${url}/v2/events`, { agent, headers: { Accept: 'text/event-stream' } }, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`answered with ${answer.statusCode}`));
      onAttached();
      let [events, bytes, rest] = [0, 0, ''];
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        const blocks = `${rest}${chunk.toString('latin1')}`.split('\r\n\r\n');
        rest = blocks.pop() ?? '';
        events += blocks.length;
        if (!blocks.some((block) => block.includes('event: deployment_success\r\n'))) return;
        resolve({ events, bytes, at: performance.now() });
        answer.destroy();
      });
      answer.on('close', () => reject(new Error('the stream ended')));
    });
    call.on('error', reject);
  });
}

function put(url: string, body: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'PUT' }, (answer) => {
      answer.resume();
      const { statusCode = 0 } = answer;
      if (statusCode < 300) resolve();
      else reject(new Error(`PUT ${url} was answered with ${statusCode}`));
    });
    call.on('error', reject).end(JSON.stringify(body));
  });
}

/** All clients read, then the app is put: its deployment is the only one. */
async function main(argument: string): Promise<void> {
  const { url, clients, path, body } = streamsSpecSchema.parse(JSON.parse(argument));
  const attached: Promise<void>[] = [];
  const following = Array.from({ length: clients }, () => {
    let onAttached: () => void = () => undefined;
    attached.push(new Promise((resolve) => (onAttached = resolve)));
    return follow(url, () => onAttached());
  });
  const all = Promise.all(following);
  await Promise.race([Promise.all(attached), all]);
  const started = performance.now();
  await put(url + path, body);
  const followed = await all;
  const times = followed.map(({ at }) => at);
  process.stdout.write(
    JSON.stringify({
      tookMs: Math.max(...times) - started,
      eventsOfOne: Math.min(...followed.map(({ events }) => events)),
      bytesOfOne: Math.min(...followed.map(({ bytes }) => bytes)),
      spreadMs: Math.max(...times) - Math.min(...times),
    }),
  );
}

try {
  await main(process.argv[2] ?? '');
} catch (error) {
  process.stderr.write(`bench-streams: ${messageOf(error)}\n`);
  process.exitCode = 1;
} finally {
  agent.destroy();
}
