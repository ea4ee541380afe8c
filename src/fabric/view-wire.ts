import type {
  ViewDelta as DeltaMessage,
  ViewEndpoint as EndpointMessage,
  ViewEncapsulation as EncapsulationName,
  ViewEndpointState as StateName,
  ViewFacts as FactsMessage,
  ViewHost as HostMessage,
  ViewNetwork as NetworkMessage,
  ViewPublication as PublicationMessage,
  ViewRecord as RecordMessage,
  ViewPort as PortMessage,
  ViewReport as ReportMessage,
  ViewSelfTest as SelfTestMessage,
  ViewSnapshot as SnapshotMessage,
} from '../../proto/view.gen.ts';
import { agentId, appId, executorId, networkName, slotIdFromText } from '../model/ids.ts';
import type { HostFacts, SelfTestResult } from '../model/host.ts';
import { PatchpanelError } from '../runtime/errors.ts';
import type { Encapsulation } from './interconnect.ts';
import { questionFromWire, questionToWire } from './path/question-wire.ts';
import type { HostQuestion } from './path/question.ts';
import type { Publication } from './publication.ts';
import type {
  EndpointKey,
  EndpointState,
  View,
  ViewDelta,
  ViewEndpoint,
  ViewHost,
  ViewNetwork,
  ViewPort,
  ViewVersion,
} from './view.ts';

/** One record of a host's view stream. */
export type ViewRecord =
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'snapshot'; readonly view: View }
  | DeltaRecord
  | { readonly kind: 'converged'; readonly endpoint: EndpointKey; readonly state: EndpointState }
  | { readonly kind: 'question'; readonly question: HostQuestion };

/** The record of a change; what many hosts are told alike may be one object. */
export interface DeltaRecord {
  readonly kind: 'delta';
  readonly delta: ViewDelta;
}

/** What a host reports; each part is absent when there is nothing to say of it. */
export interface HostReport {
  readonly facts?: HostFacts;
  readonly applied?: ViewVersion;
  /** Why a version was refused or could not be put in force. */
  readonly problem?: string;
  /** Draining endpoints of the host that no connection holds any more. */
  readonly drained?: readonly EndpointKey[];
}

/** The message of a record, as the codec takes it. */
export function recordToWire(record: ViewRecord): RecordMessage {
  switch (record.kind) {
    case 'heartbeat':
      return {};
    case 'snapshot':
      return { snapshot: snapshotToWire(record.view) };
    case 'delta':
      return { delta: deltaToWire(record.delta) };
    case 'converged':
      return { converged: { endpoint: keyToWire(record.endpoint), state: stateNames[record.state] } };
    case 'question':
      return { question: questionToWire(record.question) };
  }
}

/** A decoded record in our words; one with none of the known fields is a heartbeat. */
export function recordFromWire(message: RecordMessage): ViewRecord {
  if (message.snapshot !== undefined) return { kind: 'snapshot', view: snapshotFromWire(message.snapshot) };
  if (message.delta !== undefined) return { kind: 'delta', delta: deltaFromWire(message.delta) };
  const question = message.question === undefined ? undefined : questionFromWire(message.question);
  if (question !== undefined) return { kind: 'question', question };
  if (message.converged === undefined) return { kind: 'heartbeat' };
  const { endpoint, state } = message.converged;
  return { kind: 'converged', endpoint: keyFromWire(endpoint), state: states[state] };
}

/** The message of a report, as the codec takes it. */
export function reportToWire(report: HostReport): ReportMessage {
  return {
    ...(report.facts === undefined ? {} : { facts: factsToWire(report.facts) }),
    ...(report.applied === undefined ? {} : { applied: versionOf(report.applied) }),
    ...(report.problem === undefined ? {} : { problem: report.problem }),
    ...(report.drained === undefined ? {} : { drained: report.drained.map(keyToWire) }),
  };
}

/**
 * A decoded report in our words.
 * @throws PatchpanelError `invalid` when the facts name a datapath that is none
 */
export function reportFromWire(message: ReportMessage): HostReport {
  return {
    ...(message.facts === undefined ? {} : { facts: factsFromWire(message.facts) }),
    ...(message.applied === undefined ? {} : { applied: versionOf(message.applied) }),
    ...(message.problem === undefined ? {} : { problem: message.problem }),
    ...(message.drained === undefined || message.drained.length === 0
      ? {}
      : { drained: message.drained.map(keyFromWire) }),
  };
}

const stateNames = {
  standby: 'STANDBY',
  anchored: 'ANCHORED',
  active: 'ACTIVE',
  draining: 'DRAINING',
} as const;
const states: Readonly<Record<StateName, EndpointState>> = {
  STANDBY: 'standby',
  ANCHORED: 'anchored',
  ACTIVE: 'active',
  DRAINING: 'draining',
};

const encapsulationNames = { vxlan: 'VXLAN', geneve: 'GENEVE' } as const;
const encapsulations: Readonly<Record<EncapsulationName, Encapsulation>> = {
  VXLAN: 'vxlan',
  GENEVE: 'geneve',
};

const versionOf = ({ term, n }: ViewVersion): ViewVersion => ({ term, n });

const keyToWire = ({ slot, epoch }: EndpointKey): { slot: string; epoch: number } => ({ slot, epoch });

const keyFromWire = ({ slot, epoch }: { slot: string; epoch: number }): EndpointKey => ({
  slot: slotIdFromText(slot),
  epoch,
});

const hostToWire = (host: ViewHost): HostMessage => ({
  id: host.id,
  hostname: host.hostname,
  underlay_ip: host.underlayIp,
  ...(host.encapsulation === undefined ? {} : { encapsulation: encapsulationNames[host.encapsulation] }),
  ...(host.portPerPeer === undefined ? {} : { port_per_peer: host.portPerPeer }),
});

const hostFromWire = (host: HostMessage): ViewHost => ({
  id: agentId(host.id),
  hostname: host.hostname,
  underlayIp: host.underlay_ip,
  ...(host.encapsulation === undefined ? {} : { encapsulation: encapsulations[host.encapsulation] }),
  ...(host.port_per_peer === undefined ? {} : { portPerPeer: host.port_per_peer }),
});

const networkToWire = (network: ViewNetwork): NetworkMessage => ({
  name: network.name,
  vni: network.vni,
  cidr: network.cidr,
  gateway: network.gateway,
  mtu: network.mtu,
  domain: network.domain,
  ...(network.nat === undefined ? {} : { nat: network.nat }),
  ...(network.routes === undefined ? {} : { routes: network.routes }),
  ...(network.publications === undefined
    ? {}
    : { publications: network.publications.map(publicationToWire) }),
  ...(network.forwards === true ? { forwards: true } : {}),
});

const networkFromWire = (message: NetworkMessage): ViewNetwork => ({
  name: networkName(message.name),
  vni: message.vni,
  cidr: message.cidr,
  gateway: message.gateway,
  mtu: message.mtu,
  domain: message.domain,
  ...(message.nat === undefined ? {} : { nat: message.nat }),
  ...(message.routes === undefined || message.routes.length === 0
    ? {}
    : { routes: message.routes.map(networkName) }),
  ...(message.publications === undefined || message.publications.length === 0
    ? {}
    : { publications: message.publications.map(publicationFromWire) }),
  ...(message.forwards === true ? { forwards: true } : {}),
});

const publicationToWire = (publication: Publication): PublicationMessage => ({
  app: publication.app,
  protocol: publication.protocol,
  host_port: publication.hostPort,
  port: publication.port,
  hosts: publication.hosts,
  targets: publication.targets,
});

const publicationFromWire = (message: PublicationMessage): Publication => ({
  app: appId(message.app),
  protocol: message.protocol === 'udp' ? 'udp' : 'tcp',
  hostPort: message.host_port,
  port: message.port,
  hosts: message.hosts ?? [],
  targets: message.targets ?? [],
});

const endpointToWire = (endpoint: ViewEndpoint): EndpointMessage => ({
  slot: endpoint.slot,
  epoch: endpoint.epoch,
  app: endpoint.app,
  network: endpoint.network,
  host: endpoint.host,
  ip: endpoint.ip,
  mac: endpoint.mac,
  hostname: endpoint.hostname,
  state: stateNames[endpoint.state],
  ports: endpoint.ports.map(portToWire),
  ...(endpoint.nat === true ? { nat: true } : {}),
  ...(endpoint.keepsConnections === true ? { keeps_connections: true } : {}),
  ...(endpoint.serving === true ? { serving: true } : {}),
  ...(endpoint.device === undefined ? {} : { device: endpoint.device }),
});

const endpointFromWire = ({
  keeps_connections,
  nat,
  serving,
  device,
  ...endpoint
}: EndpointMessage): ViewEndpoint => ({
  ...endpoint,
  slot: slotIdFromText(endpoint.slot),
  app: appId(endpoint.app),
  network: networkName(endpoint.network),
  host: agentId(endpoint.host),
  state: states[endpoint.state],
  ports: (endpoint.ports ?? []).flatMap(portFromWire),
  ...(nat === true ? { nat } : {}),
  ...(keeps_connections === true ? { keepsConnections: true } : {}),
  ...(serving === true ? { serving: true } : {}),
  ...(device === undefined ? {} : { device }),
});

const portToWire = ({ number, protocol, name, hostPort }: ViewPort): PortMessage => ({
  number,
  protocol,
  ...(name === undefined ? {} : { name }),
  ...(hostPort === undefined ? {} : { host_port: hostPort }),
});

/** A protocol that a later scheduler knows is none that this host can tell apart. */
const portFromWire = ({ number, protocol, name, host_port }: PortMessage): ViewPort[] =>
  protocol === 'tcp' || protocol === 'udp'
    ? [
        {
          number,
          protocol,
          ...(name === undefined ? {} : { name }),
          ...(host_port === undefined ? {} : { hostPort: host_port }),
        },
      ]
    : [];

const snapshotToWire = (view: View): SnapshotMessage => ({
  version: versionOf(view.version),
  hosts: view.hosts.map(hostToWire),
  networks: view.networks.map(networkToWire),
  endpoints: view.endpoints.map(endpointToWire),
});

const snapshotFromWire = (message: SnapshotMessage): View => ({
  version: versionOf(message.version),
  hosts: (message.hosts ?? []).map(hostFromWire),
  networks: (message.networks ?? []).map(networkFromWire),
  endpoints: (message.endpoints ?? []).map(endpointFromWire),
});

const deltaToWire = (delta: ViewDelta): DeltaMessage => ({
  from: versionOf(delta.from),
  to: versionOf(delta.to),
  hosts: delta.hosts.map(hostToWire),
  networks: delta.networks.map(networkToWire),
  endpoints: delta.endpoints.map(endpointToWire),
  removed_hosts: delta.removedHosts,
  removed_networks: delta.removedNetworks,
  removed_endpoints: delta.removedEndpoints.map(keyToWire),
});

const deltaFromWire = (message: DeltaMessage): ViewDelta => ({
  from: versionOf(message.from),
  to: versionOf(message.to),
  hosts: (message.hosts ?? []).map(hostFromWire),
  networks: (message.networks ?? []).map(networkFromWire),
  endpoints: (message.endpoints ?? []).map(endpointFromWire),
  removedHosts: (message.removed_hosts ?? []).map(agentId),
  removedNetworks: (message.removed_networks ?? []).map(networkName),
  removedEndpoints: (message.removed_endpoints ?? []).map(keyFromWire),
});

const factsToWire = (facts: HostFacts): FactsMessage => ({
  agent_id: facts.agentId,
  executor_id: facts.executorId,
  hostname: facts.hostname,
  underlay_ip: facts.underlayIp,
  underlay_mtu: facts.underlayMtu,
  datapath: facts.datapath,
  ovs_version: facts.ovsVersion,
  docker_version: facts.dockerVersion,
  ...(facts.selfTest === undefined ? {} : { self_test: facts.selfTest }),
});

function factsFromWire(facts: FactsMessage): HostFacts {
  const { datapath } = facts;
  if (datapath !== 'system' && datapath !== 'netdev') {
    throw new PatchpanelError('invalid', `facts.datapath is "${datapath}"; it must be "system" or "netdev"`);
  }
  return {
    agentId: agentId(facts.agent_id),
    executorId: executorId(facts.executor_id),
    hostname: facts.hostname,
    underlayIp: facts.underlay_ip,
    underlayMtu: facts.underlay_mtu,
    datapath,
    ovsVersion: facts.ovs_version,
    dockerVersion: facts.docker_version,
    ...(facts.self_test === undefined ? {} : { selfTest: selfTestFromWire(facts.self_test) }),
  };
}

const selfTestFromWire = ({ passed, problem, peer }: SelfTestMessage): SelfTestResult => ({
  passed,
  ...(problem === undefined ? {} : { problem }),
  ...(peer === undefined ? {} : { peer }),
});
