import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compile } from '../../src/fabric/compile.ts';
import { flowsText } from '../../src/fabric/flow.ts';
import type { Flow } from '../../src/fabric/flow.ts';
import { maxArpFlows } from '../../src/fabric/objects/network.ts';
import type { View } from '../../src/fabric/view.ts';
import { agentId } from '../../src/model/ids.ts';
import { run } from '../../src/runtime/process.ts';
import { fabricArb, hosts } from '../support/fabric-arbitraries.ts';
import { endpoint, host, largeView, network, switchOf, view } from '../support/fabric-views.ts';

/**
 * What Open vSwitch's own parser makes of flows: one line each, in its canonical form. Needs no running switch.
 * Throws with the parser's words when it refuses one.
 */
async function parsedByOpenVSwitch(flows: readonly Flow[]): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'ppfabric-'));
  try {
    const file = join(directory, 'flows');
    await writeFile(file, flowsText(flows));
    const output = await run('ovs-ofctl', ['-O', 'OpenFlow15', 'parse-flows', file], { timeoutMs: 30_000 });
    return output.split('\n').filter((line) => line.startsWith('OFPT_FLOW_MOD'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Table, priority and match of a parsed line. */
const identityOf = (line: string): string =>
  line
    .replace(/^.*?\) (?=ADD|table)/, '')
    .replace(/ cookie:.*$/, '')
    .replace(/ actions=.*$/, '');

async function expectAccepted(flows: readonly Flow[]): Promise<void> {
  const lines = await parsedByOpenVSwitch(flows);
  expect(lines).toHaveLength(flows.length);
  expect(new Set(lines.map(identityOf)).size).toBe(flows.length);
  expect(lines.filter((line) => /NORMAL|FLOOD|learn|CONTROLLER/i.test(line))).toEqual([]);
}

const here = host('here', '172.16.0.1');
const there = host('there', '172.16.0.2');
const red = network('red', 2 ** 20 - 1, '10.1.0.0/16');
const web = endpoint({ app: '/web', network: red, host: here, ip: '10.1.0.5', epoch: 2 });

const shapes: readonly [string, View][] = [
  ['nothing', view([], [], [])],
  ['one local endpoint', view([here], [red], [web])],
  ['one remote endpoint', view([here, there], [red], [{ ...web, host: there.id }])],
  [
    'a standby on another host',
    view([here, there], [red], [web, { ...web, epoch: 3, host: there.id, state: 'standby' }]),
  ],
  [
    'old and new on the same host',
    view(
      [here],
      [red],
      [
        { ...web, state: 'draining' },
        { ...web, epoch: 3 },
      ],
    ),
  ],
];

test.each(shapes)('Open vSwitch takes every flow of a switch with %s', async (_, of) => {
  await expectAccepted(compile(of, switchOf(of, here.id, 65_535)));
});

test('Open vSwitch takes every flow of a network large enough to answer ARP by rule', async () => {
  const of = largeView(20, maxArpFlows + 1);
  await expectAccepted(compile(of, switchOf(of, agentId('agent-3'))));
});

test('Open vSwitch takes every flow of generated fabrics, and no two of them are one to it', async () => {
  const fabrics = fc.sample(fabricArb, { numRuns: 12, seed: 20_26 });
  for (const [i, fabric] of fabrics.entries()) {
    const on = hosts[i % hosts.length];
    if (on !== undefined) await expectAccepted(compile(fabric, switchOf(fabric, on.id)));
  }
});

test('the parser is asked for real: it refuses a flow that is none', async () => {
  const bad: Flow = { table: 40, priority: 1, match: 'reg0=red', actions: 'drop', cookie: 1n };
  await expect(parsedByOpenVSwitch([bad])).rejects.toThrow('reg0');
});
