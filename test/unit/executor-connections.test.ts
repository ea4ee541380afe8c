import { expect, test } from '@jest/globals';
import { servedConnections } from '../../executor/core/fabric/connections.ts';

const header =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, remote: string, state: string) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 12345 1`;
const table = (...lines: string[]) => [header, ...lines, ''].join('\n');

// 10.32.0.5, 10.32.0.9 and 127.0.0.1 as the kernel writes them.
const [self, other, loopback] = ['0500200A', '0900200A', '0100007F'];
const anyone = '00000000:0000';
const slot = { ip: '10.32.0.5', epoch: 2 };

test('what others have opened to a port that is listened on counts, in every state until it is over', () => {
  const open = ['01', '03', '04', '05', '08', '09', '0B'].map((state) =>
    line(`${self}:0050`, `${other}:C001`, state),
  );
  const over = ['06', '07'].map((state) => line(`${self}:0050`, `${other}:C002`, state));
  expect(servedConnections([table(line('00000000:0050', anyone, '0A'), ...open, ...over)], slot)).toBe(7);
});

test('what the incarnation opened itself does not count, unless it listens there', () => {
  const outgoing = line(`${self}:8001`, `${other}:1538`, '01');
  expect(servedConnections([table(outgoing)], slot)).toBe(0);
  expect(servedConnections([table(line('00000000:8001', anyone, '0A'), outgoing)], slot)).toBe(1);
});

test('health checks and loopback do not count', () => {
  const lines = [
    line(`${self}:0050`, `${self}:C001`, '01'),
    line(`${loopback}:0050`, `${loopback}:C001`, '01'),
  ];
  expect(servedConnections([table(...lines)], slot)).toBe(0);
});

test('a server on an IPv6 socket is seen with its mapped addresses', () => {
  const mapped = (address: string) => `0000000000000000FFFF0000${address}`;
  const tables = [
    table(),
    table(
      line(`${'0'.repeat(32)}:1F90`, `${'0'.repeat(32)}:0000`, '0A'),
      line(`${mapped(self)}:1F90`, `${mapped(other)}:C001`, '01'),
      line('20010DB8000000000000000000000001:1F90', '20010DB8000000000000000000000002:C001', '01'),
    ),
  ];
  expect(servedConnections(tables, slot)).toBe(1);
});

test('a process that is gone has none', () => {
  expect(servedConnections(['', ''], slot)).toBe(0);
});
