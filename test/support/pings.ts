import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/**
 * Five pings a second from the network namespace of a process until the result is called, which gives how many answers
 * did not come. The program dies with this process.
 */
export async function pingsFrom(pid: number, to: string): Promise<() => Promise<number>> {
  const child = spawn('nsenter', ['--target', String(pid), '--net', 'ping', '-q', '-i', '0.2', to], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const output = text(child.stdout);
  await once(child, 'spawn');
  return async () => {
    process.off('exit', kill);
    child.kill('SIGINT');
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(await output) ?? [];
    return Number(sent) - Number(received);
  };
}
