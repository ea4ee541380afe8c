// `slot-client <ip> …`: asks each address for `/` over and over, ten times a second, and prints a line `<ip> <task>` for
// each answer of the demo image's server. Ends with its standard input.
import { get } from 'node:http';

const pauseMs = 100;
const patienceMs = 1_000;

function ask(ip) {
  let done = false;
  const next = () => {
    if (done) return;
    done = true;
    request.destroy();
    setTimeout(() => ask(ip), pauseMs);
  };
  const request = get({ host: ip, port: 80, path: '/', agent: false, timeout: patienceMs }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk) => (text += chunk));
    response.on('end', () => {
      const task = /"task": *"([^"]+)"/.exec(text)?.[1];
      if (task !== undefined && !done) process.stdout.write(`${ip} ${task}\n`);
      next();
    });
  });
  request.on('error', next);
  request.on('timeout', next);
  setTimeout(next, 2 * patienceMs);
}

for (const ip of process.argv.slice(2)) ask(ip);
process.stdin.on('data', () => undefined);
process.stdin.on('end', () => process.exit(0));
