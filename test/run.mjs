// Runs parts of the tests: `node test/run.mjs PART… [OPTIONS OF JEST…]`. Interrupted, it ends what the tests have started
// and removes what they have made before it ends itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const jest = [
  process.execPath,
  '--experimental-vm-modules',
  '--no-warnings',
  'node_modules/jest/bin/jest.js',
  '--config=test/jest.config.mjs',
];

/** Tests of whole programs wait a lot, so two files run at a time; those under load want the machine for themselves. */
const parts = {
  setup: ['bash', 'deploy/setup.sh'],
  // A worker keeps something of every file that it has run. With a hundred of them, a gigabyte, its end takes longer than the
  // half second after which jest ends it and warns of tests that leave something open: a new one takes over before that.
  pure: [...jest, '--maxWorkers=2', '--workerIdleMemoryLimit=300MB', '--selectProjects', 'unit', 'property'],
  component: [...jest, '--maxWorkers=2', '--selectProjects', 'component'],
  cluster: [...jest, '--maxWorkers=2', '--selectProjects', 'cluster'],
  load: [...jest, '--runInBand', '--selectProjects', 'load'],
  faults: [...jest, '--runInBand', '--selectProjects', 'faults'],
};

/** Whatever is started from here inherits it, and is found by it; as src/devcluster/processes.ts. */
const markVariable = 'PATCHPANEL_DEV_CLUSTER';
const mark = `tests-${process.pid}`;
const environment = { ...process.env, [markVariable]: mark };
/** Programs that remove what they have made get this long before SIGKILL. */
const graceMs = 20_000;

let interruptedBy;
let running;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interruptedBy ??= signal;
    running?.kill('SIGTERM');
  });
}

process.exitCode = await main(process.argv.slice(2));

async function main(words) {
  const optionsFrom = words.findIndex((word) => word.startsWith('-'));
  const names = optionsFrom === -1 ? words : words.slice(0, optionsFrom);
  const options = words.slice(names.length);
  const unknown = names.find((name) => !(name in parts));
  if (unknown !== undefined || names.length === 0) {
    process.stderr.write(`run: ${unknown ?? 'nothing'} is not one of ${Object.keys(parts).join(', ')}\n`);
    return 2;
  }
  for (const name of names) {
    const code = await runPart(name === 'setup' ? parts.setup : [...parts[name], ...options]);
    if (interruptedBy !== undefined) {
      await removeLeftovers();
      return interruptedBy === 'SIGINT' ? 130 : 143;
    }
    if (code !== 0) return code;
  }
  return 0;
}

async function runPart([program, ...args]) {
  running = spawn(program, args, { stdio: 'inherit', env: environment });
  const [code] = await once(running, 'exit');
  return code ?? 1;
}

/** What a test process made is listed (src/devcluster/ledger.ts), so it can be removed when the process is gone. */
async function removeLeftovers() {
  process.stderr.write('run: interrupted: removing what the tests have made\n');
  const end = Date.now() + graceMs;
  for (let left = await marked(); left.length > 0; left = await marked()) {
    for (const pid of left) signalProcess(pid, Date.now() > end ? 'SIGKILL' : 'SIGTERM');
    await sleep(200);
  }
  const clean = ['dist/patchpanel.js', 'dev', 'clean', '--all'];
  if (existsSync(clean[0])) await once(spawn(process.execPath, clean, { stdio: 'inherit' }), 'exit');
}

async function marked() {
  const wanted = `${markVariable}=${mark}`;
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const hasMark = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return text.split('\0').includes(wanted);
    }),
  );
  return pids.filter((_, index) => hasMark[index]);
}

function signalProcess(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
