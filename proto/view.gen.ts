// Generated from view.proto by generate.mjs. Do not edit.
import type { INamespace } from 'protobufjs/light.js';

export type ViewEncapsulation =
  | 'VXLAN'
  | 'GENEVE';

export type ViewEndpointState =
  | 'STANDBY'
  | 'ACTIVE'
  | 'DRAINING'
  | 'ANCHORED';

export interface ViewVersion {
  readonly term: number;
  readonly n: number;
}

export interface ViewHost {
  readonly id: string;
  readonly hostname: string;
  readonly underlay_ip: string;
  /** What its tunnels are wrapped in; VXLAN when absent. */
  readonly encapsulation?: ViewEncapsulation | undefined;
  /** It has one tunnel port for each peer instead of one for all. */
  readonly port_per_peer?: boolean | undefined;
}

export interface ViewNetwork {
  readonly name: string;
  readonly vni: number;
  readonly cidr: string;
  readonly gateway: string;
  readonly mtu: number;
  readonly domain: string;
  /** Containers reach what is outside by their host's own address. */
  readonly nat?: boolean | undefined;
  /** Names of the networks in which its containers may open connections. */
  readonly routes?: readonly string[] | undefined;
  readonly publications?: readonly ViewPublication[] | undefined;
  /** Some endpoint in it has a port of its host, or is let out by it. */
  readonly forwards?: boolean | undefined;
}

/** A port that hosts offer to the outside, and who serves it. */
export interface ViewPublication {
  readonly app: string;
  /** "tcp" or "udp" */
  readonly protocol: string;
  readonly host_port: number;
  readonly port: number;
  /** Host names; none: every host of the network. */
  readonly hosts?: readonly string[] | undefined;
  /** Addresses of instances that are ready. */
  readonly targets?: readonly string[] | undefined;
}

export interface ViewPort {
  readonly number: number;
  readonly protocol: string;
  readonly name?: string | undefined;
  /** Port of the endpoint's host that leads to it. */
  readonly host_port?: number | undefined;
}

export interface ViewEndpoint {
  readonly slot: string;
  readonly epoch: number;
  readonly app: string;
  readonly network: string;
  readonly host: string;
  readonly ip: string;
  readonly mac: string;
  readonly hostname: string;
  readonly state: ViewEndpointState;
  /** What the app declares to listen on. */
  readonly ports?: readonly ViewPort[] | undefined;
  /** Its host lets it out by its own address, also where the network does not. */
  readonly nat?: boolean | undefined;
  /** Of a draining one: the connections that it has stay with it. */
  readonly keeps_connections?: boolean | undefined;
  /** It owns the slot's address and is ready: the app's name leads to it. */
  readonly serving?: boolean | undefined;
  /** Name of the port on its host's bridge: a machine of the operator's, which gets its address by DHCP. */
  readonly device?: string | undefined;
}

export interface ViewEndpointKey {
  readonly slot: string;
  readonly epoch: number;
}

export interface ViewSnapshot {
  readonly version: ViewVersion;
  readonly hosts?: readonly ViewHost[] | undefined;
  readonly networks?: readonly ViewNetwork[] | undefined;
  readonly endpoints?: readonly ViewEndpoint[] | undefined;
}

export interface ViewDelta {
  readonly from: ViewVersion;
  readonly to: ViewVersion;
  readonly hosts?: readonly ViewHost[] | undefined;
  readonly networks?: readonly ViewNetwork[] | undefined;
  readonly endpoints?: readonly ViewEndpoint[] | undefined;
  readonly removed_hosts?: readonly string[] | undefined;
  readonly removed_networks?: readonly string[] | undefined;
  readonly removed_endpoints?: readonly ViewEndpointKey[] | undefined;
}

/** Every host that shares the endpoint's network has acknowledged a view with it in this state. */
export interface ViewConverged {
  readonly endpoint: ViewEndpointKey;
  readonly state: ViewEndpointState;
}

/** A frame whose way through a switch is asked for. ARP: `destination` is the address that is looked for. */
export interface ViewFrame {
  /** "tcp", "udp", "icmp" or "arp" */
  readonly protocol: string;
  readonly source_mac: string;
  readonly destination_mac: string;
  readonly source: string;
  readonly destination: string;
  readonly source_port?: number | undefined;
  readonly destination_port?: number | undefined;
  readonly ttl: number;
}

/** A frame that another host sends. */
export interface ViewTunnel {
  /** Its underlay address. */
  readonly from: string;
  /** The whole tunnel id, flag bits included. */
  readonly id: number;
}

/** What would the host's switch do with the frame? It comes in by the port of an endpoint or out of the tunnel. */
export interface ViewQuestion {
  readonly id: number;
  readonly frame: ViewFrame;
  readonly endpoint?: ViewEndpointKey | undefined;
  readonly tunnel?: ViewTunnel | undefined;
}

/** A port of a host's switch: of an endpoint, of the host's leg in a network, or a tunnel. */
export interface ViewSwitchPort {
  readonly number: number;
  readonly endpoint?: ViewEndpointKey | undefined;
  readonly gateway_of?: string | undefined;
  /** Underlay address of the one host behind it; empty: any host. */
  readonly tunnel_to?: string | undefined;
}

/** The answer to a question: what `ofproto/trace` printed and the ports that it names, or why there is none. */
export interface ViewAnswer {
  readonly id: number;
  readonly trace?: string | undefined;
  readonly ports?: readonly ViewSwitchPort[] | undefined;
  readonly problem?: string | undefined;
}

/** What a host's switch dropped for one reason and one object since its executor began to count. */
export interface ViewDropCount {
  readonly reason: string;
  /** The object by its key, `port:/web#0@3`, `address:default/10.32.0.10`, `network:default` or `base`. */
  readonly subject: string;
  readonly packets: number;
  readonly bytes: number;
}

/** What a host's switch delivered between two apps, `outside` or `unknown` since its executor began to count. */
export interface ViewTrafficCount {
  readonly from: string;
  readonly to: string;
  readonly packets: number;
  readonly bytes: number;
}

/** What a host has counted. Rows that are not there have not changed since the last message. */
export interface ViewCounters {
  /** Names the run of the executor: each begins at 0. */
  readonly origin: string;
  readonly drops?: readonly ViewDropCount[] | undefined;
  readonly traffic?: readonly ViewTrafficCount[] | undefined;
}

/** One record of the stream: exactly one field is set; none is a heartbeat. */
export interface ViewRecord {
  readonly snapshot?: ViewSnapshot | undefined;
  readonly delta?: ViewDelta | undefined;
  readonly converged?: ViewConverged | undefined;
  readonly question?: ViewQuestion | undefined;
}

/** Whether a host carries traffic, as it found itself. */
export interface ViewSelfTest {
  readonly passed: boolean;
  readonly problem?: string | undefined;
  /** Name of the other host that was reached. */
  readonly peer?: string | undefined;
}

export interface ViewFacts {
  readonly agent_id: string;
  readonly executor_id: string;
  readonly hostname: string;
  readonly underlay_ip: string;
  readonly underlay_mtu: number;
  readonly datapath: string;
  readonly ovs_version: string;
  readonly docker_version: string;
  /** Absent before the host has tried. */
  readonly self_test?: ViewSelfTest | undefined;
}

/** What a host reports: its facts when it connects, and which version it has put in force. */
export interface ViewReport {
  readonly facts?: ViewFacts | undefined;
  readonly applied?: ViewVersion | undefined;
  /** Why a version was refused or could not be put in force; absent when all is well. */
  readonly problem?: string | undefined;
  /** Draining endpoints of this host that no connection holds any more. */
  readonly drained?: readonly ViewEndpointKey[] | undefined;
}

/** Every message by its name here. */
export interface ViewMessages {
  ViewVersion: ViewVersion;
  ViewHost: ViewHost;
  ViewNetwork: ViewNetwork;
  ViewPublication: ViewPublication;
  ViewPort: ViewPort;
  ViewEndpoint: ViewEndpoint;
  ViewEndpointKey: ViewEndpointKey;
  ViewSnapshot: ViewSnapshot;
  ViewDelta: ViewDelta;
  ViewConverged: ViewConverged;
  ViewFrame: ViewFrame;
  ViewTunnel: ViewTunnel;
  ViewQuestion: ViewQuestion;
  ViewSwitchPort: ViewSwitchPort;
  ViewAnswer: ViewAnswer;
  ViewDropCount: ViewDropCount;
  ViewTrafficCount: ViewTrafficCount;
  ViewCounters: ViewCounters;
  ViewRecord: ViewRecord;
  ViewSelfTest: ViewSelfTest;
  ViewFacts: ViewFacts;
  ViewReport: ViewReport;
}

/** The full protobuf name of each message. */
export const viewTypeNames: Readonly<Record<keyof ViewMessages, string>> = {
  ViewVersion: 'patchpanel.view.Version',
  ViewHost: 'patchpanel.view.Host',
  ViewNetwork: 'patchpanel.view.Network',
  ViewPublication: 'patchpanel.view.Publication',
  ViewPort: 'patchpanel.view.Port',
  ViewEndpoint: 'patchpanel.view.Endpoint',
  ViewEndpointKey: 'patchpanel.view.EndpointKey',
  ViewSnapshot: 'patchpanel.view.Snapshot',
  ViewDelta: 'patchpanel.view.Delta',
  ViewConverged: 'patchpanel.view.Converged',
  ViewFrame: 'patchpanel.view.Frame',
  ViewTunnel: 'patchpanel.view.Tunnel',
  ViewQuestion: 'patchpanel.view.Question',
  ViewSwitchPort: 'patchpanel.view.SwitchPort',
  ViewAnswer: 'patchpanel.view.Answer',
  ViewDropCount: 'patchpanel.view.DropCount',
  ViewTrafficCount: 'patchpanel.view.TrafficCount',
  ViewCounters: 'patchpanel.view.Counters',
  ViewRecord: 'patchpanel.view.Record',
  ViewSelfTest: 'patchpanel.view.SelfTest',
  ViewFacts: 'patchpanel.view.Facts',
  ViewReport: 'patchpanel.view.Report',
};

/** The schema in the JSON form of protobufjs. */
export const viewDescriptor: INamespace = {"nested":{"patchpanel":{"nested":{"view":{"nested":{"Version":{"edition":"proto2","fields":{"term":{"rule":"required","type":"uint64","id":1},"n":{"rule":"required","type":"uint64","id":2}}},"Encapsulation":{"edition":"proto2","values":{"VXLAN":1,"GENEVE":2}},"Host":{"edition":"proto2","fields":{"id":{"rule":"required","type":"string","id":1},"hostname":{"rule":"required","type":"string","id":2},"underlay_ip":{"rule":"required","type":"string","id":3},"encapsulation":{"type":"Encapsulation","id":4},"port_per_peer":{"type":"bool","id":5}}},"Network":{"edition":"proto2","fields":{"name":{"rule":"required","type":"string","id":1},"vni":{"rule":"required","type":"uint32","id":2},"cidr":{"rule":"required","type":"string","id":3},"gateway":{"rule":"required","type":"string","id":4},"mtu":{"rule":"required","type":"uint32","id":5},"domain":{"rule":"required","type":"string","id":6},"nat":{"type":"bool","id":10},"routes":{"rule":"repeated","type":"string","id":11},"publications":{"rule":"repeated","type":"Publication","id":12},"forwards":{"type":"bool","id":13}}},"Publication":{"edition":"proto2","fields":{"app":{"rule":"required","type":"string","id":1},"protocol":{"rule":"required","type":"string","id":2},"host_port":{"rule":"required","type":"uint32","id":3},"port":{"rule":"required","type":"uint32","id":4},"hosts":{"rule":"repeated","type":"string","id":5},"targets":{"rule":"repeated","type":"string","id":6}}},"EndpointState":{"edition":"proto2","values":{"STANDBY":1,"ACTIVE":2,"DRAINING":3,"ANCHORED":4}},"Port":{"edition":"proto2","fields":{"number":{"rule":"required","type":"uint32","id":1},"protocol":{"rule":"required","type":"string","id":2},"name":{"type":"string","id":3},"host_port":{"type":"uint32","id":4}}},"Endpoint":{"edition":"proto2","fields":{"slot":{"rule":"required","type":"string","id":1},"epoch":{"rule":"required","type":"uint32","id":2},"app":{"rule":"required","type":"string","id":3},"network":{"rule":"required","type":"string","id":4},"host":{"rule":"required","type":"string","id":5},"ip":{"rule":"required","type":"string","id":6},"mac":{"rule":"required","type":"string","id":7},"hostname":{"rule":"required","type":"string","id":8},"state":{"rule":"required","type":"EndpointState","id":9},"ports":{"rule":"repeated","type":"Port","id":11},"nat":{"type":"bool","id":15},"keeps_connections":{"type":"bool","id":14},"serving":{"type":"bool","id":20},"device":{"type":"string","id":21}}},"EndpointKey":{"edition":"proto2","fields":{"slot":{"rule":"required","type":"string","id":1},"epoch":{"rule":"required","type":"uint32","id":2}}},"Snapshot":{"edition":"proto2","fields":{"version":{"rule":"required","type":"Version","id":1},"hosts":{"rule":"repeated","type":"Host","id":2},"networks":{"rule":"repeated","type":"Network","id":3},"endpoints":{"rule":"repeated","type":"Endpoint","id":4}}},"Delta":{"edition":"proto2","fields":{"from":{"rule":"required","type":"Version","id":1},"to":{"rule":"required","type":"Version","id":2},"hosts":{"rule":"repeated","type":"Host","id":3},"networks":{"rule":"repeated","type":"Network","id":4},"endpoints":{"rule":"repeated","type":"Endpoint","id":5},"removed_hosts":{"rule":"repeated","type":"string","id":6},"removed_networks":{"rule":"repeated","type":"string","id":7},"removed_endpoints":{"rule":"repeated","type":"EndpointKey","id":8}}},"Converged":{"edition":"proto2","fields":{"endpoint":{"rule":"required","type":"EndpointKey","id":1},"state":{"rule":"required","type":"EndpointState","id":2}}},"Frame":{"edition":"proto2","fields":{"protocol":{"rule":"required","type":"string","id":1},"source_mac":{"rule":"required","type":"string","id":2},"destination_mac":{"rule":"required","type":"string","id":3},"source":{"rule":"required","type":"string","id":4},"destination":{"rule":"required","type":"string","id":5},"source_port":{"type":"uint32","id":6},"destination_port":{"type":"uint32","id":7},"ttl":{"rule":"required","type":"uint32","id":8}}},"Tunnel":{"edition":"proto2","fields":{"from":{"rule":"required","type":"string","id":1},"id":{"rule":"required","type":"uint32","id":2}}},"Question":{"edition":"proto2","fields":{"id":{"rule":"required","type":"uint64","id":1},"frame":{"rule":"required","type":"Frame","id":2},"endpoint":{"type":"EndpointKey","id":3},"tunnel":{"type":"Tunnel","id":4}}},"SwitchPort":{"edition":"proto2","fields":{"number":{"rule":"required","type":"uint32","id":1},"endpoint":{"type":"EndpointKey","id":2},"gateway_of":{"type":"string","id":3},"tunnel_to":{"type":"string","id":4}}},"Answer":{"edition":"proto2","fields":{"id":{"rule":"required","type":"uint64","id":1},"trace":{"type":"string","id":2},"ports":{"rule":"repeated","type":"SwitchPort","id":3},"problem":{"type":"string","id":4}}},"DropCount":{"edition":"proto2","fields":{"reason":{"rule":"required","type":"string","id":1},"subject":{"rule":"required","type":"string","id":2},"packets":{"rule":"required","type":"uint64","id":3},"bytes":{"rule":"required","type":"uint64","id":4}}},"TrafficCount":{"edition":"proto2","fields":{"from":{"rule":"required","type":"string","id":1},"to":{"rule":"required","type":"string","id":2},"packets":{"rule":"required","type":"uint64","id":3},"bytes":{"rule":"required","type":"uint64","id":4}}},"Counters":{"edition":"proto2","fields":{"origin":{"rule":"required","type":"string","id":1},"drops":{"rule":"repeated","type":"DropCount","id":2},"traffic":{"rule":"repeated","type":"TrafficCount","id":3}}},"Record":{"edition":"proto2","fields":{"snapshot":{"type":"Snapshot","id":1},"delta":{"type":"Delta","id":2},"converged":{"type":"Converged","id":3},"question":{"type":"Question","id":20}}},"SelfTest":{"edition":"proto2","fields":{"passed":{"rule":"required","type":"bool","id":1},"problem":{"type":"string","id":2},"peer":{"type":"string","id":3}}},"Facts":{"edition":"proto2","fields":{"agent_id":{"rule":"required","type":"string","id":1},"executor_id":{"rule":"required","type":"string","id":2},"hostname":{"rule":"required","type":"string","id":3},"underlay_ip":{"rule":"required","type":"string","id":4},"underlay_mtu":{"rule":"required","type":"uint32","id":5},"datapath":{"rule":"required","type":"string","id":6},"ovs_version":{"rule":"required","type":"string","id":7},"docker_version":{"rule":"required","type":"string","id":8},"self_test":{"type":"SelfTest","id":20}}},"Report":{"edition":"proto2","fields":{"facts":{"type":"Facts","id":1},"applied":{"type":"Version","id":2},"problem":{"type":"string","id":3},"drained":{"rule":"repeated","type":"EndpointKey","id":10}}}}}}}}};
