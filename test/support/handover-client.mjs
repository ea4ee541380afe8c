// `handover-client <ip> <port> <new connections a second> <long connections> <life of a long one, ms>`: opens
// connections until standard input ends, then prints what it saw as JSON. A connection fails when it breaks, or when
// an echo does not come back within ten seconds.
import { connect } from 'node:net';

const [ip, port, perSecond, longCount, lifeMs] = process.argv
  .slice(2)
  .map((text, i) => (i === 0 ? text : Number(text)));
const patienceMs = 10_000;
const seen = {
  opened: 0,
  failed: 0,
  slow: 0,
  longEnded: 0,
  longBroken: 0,
  echoes: 0,
  lost: [],
};
/** By the name of the task that answered: when its first answer came, when the last connection that it answered was opened. */
const answered = new Map();
const stop = new AbortController();
let open = 0;

/** One connection: sends `beats` times, waits for each echo, then closes. Resolves with how it was lost, if it was. */
function converse(beats, pauseMs) {
  return new Promise((resolve) => {
    open += 1;
    const openedAt = performance.now();
    const socket = connect({ host: ip, port, noDelay: true });
    let left = beats;
    let greeted = false;
    let waiting = '';
    const end = (why) => {
      socket.destroy();
      clearTimeout(pause);
      clearTimeout(patience);
      open -= 1;
      resolve(why && { why, openedAt, endedAt: performance.now() });
    };
    let pause;
    let patience = setTimeout(() => end('no answer'), patienceMs);
    const beat = () => {
      if (left === 0 || (stop.signal.aborted && beats > 1)) return end(undefined);
      left -= 1;
      waiting = 'x'.repeat(32);
      patience = setTimeout(() => end('no echo'), patienceMs);
      socket.write(waiting);
    };
    socket.on('error', (error) => end(error.code ?? error.message));
    socket.on('close', () => end('closed by the other side'));
    socket.on('data', (chunk) => {
      let text = chunk.toString('latin1');
      if (!greeted) {
        greeted = true;
        clearTimeout(patience);
        if (performance.now() - openedAt > 900) seen.slow += 1;
        const line = text.indexOf('\n');
        noteAnswer(text.slice(0, line), openedAt);
        text = text.slice(line + 1);
        return beat();
      }
      waiting = waiting.slice(text.length);
      if (waiting !== '') return;
      clearTimeout(patience);
      seen.echoes += 1;
      if (left === 0) return end(undefined);
      pause = setTimeout(beat, pauseMs);
    });
  });
}

function noteAnswer(server, openedAt) {
  const before = answered.get(server) ?? { firstAt: performance.now(), lastOpenedAt: openedAt };
  answered.set(server, { ...before, lastOpenedAt: Math.max(before.lastOpenedAt, openedAt) });
}

function note(kind, loss) {
  if (loss === undefined) return;
  seen[kind] += 1;
  if (seen.lost.length < 1000) seen.lost.push({ kind, ...loss });
}

// As many as are due by now: a timer that is late loses none.
const began = performance.now();
const opener = setInterval(() => {
  const due = Math.floor(((performance.now() - began) * perSecond) / 1000);
  for (; seen.opened < due; seen.opened += 1) void converse(1, 0).then((loss) => note('failed', loss));
}, 5);

async function keepOne(firstLifeMs) {
  for (let life = firstLifeMs; !stop.signal.aborted; life = lifeMs) {
    note('longBroken', await converse(Math.max(2, Math.round(life / 50)), 50));
    seen.longEnded += 1;
  }
}
// Spread, so that some are young and some are old at any time.
const long = Array.from({ length: longCount }, (_, i) => keepOne((lifeMs * (i + 1)) / longCount));

process.stdin.on('data', () => undefined);
async function finish() {
  clearInterval(opener);
  seen.seconds = (performance.now() - began) / 1000;
  stop.abort();
  await Promise.all(long);
  const check = setInterval(() => {
    if (open > 0) return;
    clearInterval(check);
    const servers = [...answered].map(([task, times]) => ({ task, ...times }));
    process.stdout.write(JSON.stringify({ ...seen, servers }));
    process.exit(0);
  }, 20);
}
process.stdin.on('end', () => void finish());
