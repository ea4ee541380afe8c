import type { SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import type { EndpointKey } from '../../src/fabric/view.ts';

/** What the task side of the executor needs of the network side. */
export interface Fabric {
  /**
   * Reserves a port number and a veth name for an incarnation and starts what needs no sandbox yet (flows). Cheap;
   * call it as soon as the launch arrives.
   */
  prepare(endpoint: EndpointKey, network: SwitchNetworkSpec): void;
  /**
   * Plugs the sandbox's network namespace into the switch: veth, address, route, port, flows. Resolves when packets
   * can flow as far as this host is concerned. Idempotent for one (slot, epoch).
   * @throws PatchpanelError `external` when ip, ethtool or Open vSwitch refuses, `deadline` when no port number comes
   */
  attach(endpoint: EndpointKey, sandboxPid: number, signal: AbortSignal): Promise<AttachTimings>;
  /**
   * Resolves when every host that shares the network has acknowledged the endpoint.
   * @throws PatchpanelError `deadline` when that takes longer than timeoutMs
   */
  awaitConverged(endpoint: EndpointKey, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Flows, then port, then veth. Idempotent; an endpoint that is not there is fine. */
  detach(endpoint: EndpointKey): Promise<void>;
  /** The endpoints that have a port on our bridge now, by their external_ids, strays included. */
  attached(): readonly EndpointKey[];
}

/** Milliseconds of each part of an attach, for logs and benchmarks. */
export interface AttachTimings {
  readonly linkMs: number;
  readonly portMs: number;
  readonly flowsMs: number;
  readonly totalMs: number;
}
