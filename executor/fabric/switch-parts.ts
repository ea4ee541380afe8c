/** The parts of the switch that know nothing of the host they are on, wired to the programs and sockets of this one. */
import { randomUUID } from 'node:crypto';
import { configureSandboxes, createVeths, underlayMtu } from '../adapters/netns/veth.ts';
import { managementSocket } from '../adapters/openflow/flow-programmer.ts';
import { readStatistics } from '../adapters/openflow/statistics.ts';
import { TestSpace } from '../adapters/selftest/test-space.ts';
import type { LinkWish } from '../core/fabric/link.ts';
import { tunnelsOf } from '../../src/fabric/interconnect.ts';
import { endpointMtu } from '../../src/fabric/mtu.ts';
import type { HostFacts } from '../../src/model/host.ts';
import { Attachments, type AttachmentParts } from './attachments.ts';
import { Batcher } from './batcher.ts';
import type { Bridge } from './bridge.ts';
import type { CurrentView } from './current-view.ts';
import { FlowCounters, type FlowCountersParts } from './flow-counters.ts';
import { SelfTest } from './self-test.ts';
import type { SwitchConfig, SwitchSurroundings } from './switch-config.ts';

const COUNT_EVERY_MS = 10_000;
const STATISTICS_TIMEOUT_MS = 5_000;

/** The switch that parts are made for. */
export interface SwitchPlace {
  readonly config: SwitchConfig;
  readonly around: SwitchSurroundings;
  readonly current: CurrentView;
  readonly bridge: Bridge;
}

/** What is plugged in, by veths in this process's namespace. */
export function newAttachments(
  { config, around, current, bridge }: SwitchPlace,
  rest: Pick<AttachmentParts, 'takeNumber' | 'unplug'>,
): Attachments {
  const { clock, log, onPortLost, onInheritedLost } = around;
  const limits = { maxBatch: 64, maxQueued: 4_096 };
  const links = new Batcher<LinkWish>({ ...limits, what: 'the making of veths', flush: createVeths });
  const sandboxes = new Batcher<LinkWish>({
    ...limits,
    // Each takes some three programs, and the batch has a deadline.
    maxBatch: 32,
    what: 'the configuration of sandboxes',
    flush: (wishes) => configureSandboxes(wishes, bridge.datapath === 'netdev'),
  });
  return new Attachments({
    owner: config.hostKey,
    runId: config.runId,
    clock,
    log,
    onPortLost,
    onInheritedLost,
    links: {
      create: (wish) => links.add(wish),
      configure: (wish) => sandboxes.add(wish),
    },
    ports: {
      list: () => bridge.ports(),
      add: (wish, signal) => bridge.addPort(wish, signal),
    },
    commitFlows: () => bridge.commit(),
    inView: (endpoint, timeoutMs, signal) => current.includes(endpoint, timeoutMs, signal),
    gatewayMac: (network) => current.gatewayMac(network),
    ...rest,
  });
}

/** Reads the counters of the bridge's flows now and then. */
export function newCounters(
  { config, around }: SwitchPlace,
  rest: Pick<FlowCountersParts, 'objects' | 'listener' | 'tell'>,
): FlowCounters {
  const { clock, random, log } = around;
  const socket = managementSocket(config.ovsRunDir, config.bridge);
  return new FlowCounters({
    clock,
    random,
    log,
    origin: randomUUID(),
    everyMs: COUNT_EVERY_MS,
    read: (look) => readStatistics(socket, STATISTICS_TIMEOUT_MS, look),
    ...rest,
  });
}

/** Tries the real bridge with namespaces; undefined where the program for them is not there. */
export function newSelfTest(
  { config, around, current, bridge }: SwitchPlace,
  attachments: Attachments,
  underlayIp: () => string,
  onResult: () => void,
): SelfTest | undefined {
  const program = config.selfTestProgram;
  if (program === undefined) return undefined;
  const { clock, random, log } = around;
  const encapsulation = () => tunnelsOf(current.view, config.agentId)?.encapsulation ?? 'vxlan';
  return new SelfTest({
    agentId: config.agentId,
    clock,
    random,
    log,
    newSpace: () => new TestSpace(process.execPath, program),
    view: () => current.view,
    mtu: async () => endpointMtu([await underlayMtu(underlayIp())], encapsulation()),
    arrange: async (setup) => {
      current.arrange(setup);
      await bridge.commit();
    },
    prepare: (endpoint, network) => attachments.prepare(endpoint, network),
    attach: (endpoint, pid, signal) => attachments.attach(endpoint, pid, signal),
    detach: (endpoint) => attachments.detach(endpoint),
    onResult,
  });
}

/**
 * What the host tells the scheduler of itself.
 * @throws PatchpanelError `not-found` when no device has the underlay address
 */
export async function hostFacts(
  { config, bridge }: SwitchPlace,
  underlayIp: string,
  selfTest: SelfTest | undefined,
): Promise<HostFacts> {
  const { agentId, executorId, hostname, dockerVersion } = config;
  const { datapath = 'netdev', version: ovsVersion } = bridge;
  const mtu = await underlayMtu(underlayIp);
  const result = selfTest?.result;
  return {
    agentId,
    executorId,
    hostname,
    underlayIp,
    underlayMtu: mtu,
    datapath,
    ovsVersion,
    dockerVersion,
    ...(result === undefined ? {} : { selfTest: result }),
  };
}
