import type { EndpointKey } from '../../src/fabric/view.ts';
import type { SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import type { AttachTimings, Fabric } from '../core/ports.ts';
import type { SwitchConfig, SwitchStatus, SwitchSurroundings } from './switch-config.ts';

/** The network side of the executor. Under construction: the signatures are final, the bodies follow. */
export class Switch implements Fabric {
  readonly config: SwitchConfig;
  readonly surroundings: SwitchSurroundings;

  constructor(config: SwitchConfig, surroundings: SwitchSurroundings) {
    this.config = config;
    this.surroundings = surroundings;
  }

  /**
   * Connects to Open vSwitch, makes the bridge and the tunnel port, puts the last good view back in force and starts
   * to follow the scheduler's views. What an earlier run attached stays in force until cleanUp().
   * @throws PatchpanelError `unavailable` or `deadline` when Open vSwitch does not answer
   */
  async start(): Promise<void> {
    await Promise.reject(notYet());
  }

  /** Closes connections and timers. The data plane goes on as it is. */
  async stop(): Promise<void> {
    await Promise.reject(notYet());
  }

  /** Removes whatever an earlier executor of this host left: flows, then ports, then veths. Gives what it removed. */
  async cleanUp(): Promise<readonly EndpointKey[]> {
    return Promise.reject(notYet());
  }

  /** Where the leader's API is. Of those with a term the newest wins; one without is tried when that fails. */
  setLeader(_url: string, _term?: number): void {
    throw notYet();
  }

  /** Writes all flows anew, as a difference to what the bridge has. */
  async resync(): Promise<void> {
    await Promise.reject(notYet());
  }

  status(): SwitchStatus {
    throw notYet();
  }

  prepare(_endpoint: EndpointKey, _network: SwitchNetworkSpec): void {
    throw notYet();
  }

  attach(_endpoint: EndpointKey, _sandboxPid: number, _signal: AbortSignal): Promise<AttachTimings> {
    return Promise.reject(notYet());
  }

  awaitConverged(_endpoint: EndpointKey, _timeoutMs: number, _signal: AbortSignal): Promise<void> {
    return Promise.reject(notYet());
  }

  detach(_endpoint: EndpointKey): Promise<void> {
    return Promise.reject(notYet());
  }

  attached(): readonly EndpointKey[] {
    return [];
  }
}

const notYet = () => new PatchpanelError('unavailable', 'the switch is not built yet');
