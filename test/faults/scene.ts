import axios from 'axios';
import { Gate } from '../../src/runtime/gate.ts';
import type { DevCluster } from '../../src/devcluster/cluster.ts';
import type { SchedulerProcess } from '../../src/devcluster/scheduler-process.ts';
import { sleep } from '../../src/runtime/deadline.ts';
import { ClusterBench } from '../support/cluster-bench.ts';
import type { Relay } from './relay.ts';

/** How long somebody is waited for who leads, in milliseconds. */
const leaderMs = 20_000;

/** The cluster of a run, reached through whichever of its schedulers. */
export class Scene {
  readonly cluster: DevCluster;
  /** What stands between each scheduler and ZooKeeper, in the order of the schedulers. */
  readonly relays: readonly Relay[];
  readonly #docker = new Gate(1);

  constructor(cluster: DevCluster, relays: readonly Relay[] = []) {
    this.cluster = cluster;
    this.relays = relays;
  }

  /** What restarts Docker and what itself needs Docker's answers, one after the other. */
  withDocker<T>(work: () => Promise<T>): Promise<T> {
    return this.#docker.pass(work);
  }

  get apiUrls(): readonly string[] {
    return this.cluster.schedulers.members.map(({ apiUrl }) => apiUrl);
  }

  /** Through the scheduler that leads. @throws PatchpanelError `conflict` when none is known to */
  async throughLeader(): Promise<ClusterBench> {
    const leader = await this.cluster.schedulers.leader();
    return new ClusterBench(this.cluster, leader.apiUrl);
  }

  /** Through one of those that run, as a load balancer chooses them: one that stands by passes it on. */
  throughAny(turn: number): ClusterBench {
    const running = this.cluster.schedulers.members.filter((member) => member.running);
    return new ClusterBench(this.cluster, running[turn % running.length]?.apiUrl ?? this.apiUrls[0]);
  }

  /** The one that leads, as soon as one does; when none does for long, the first. */
  async leader(): Promise<SchedulerProcess | undefined> {
    const { schedulers } = this.cluster;
    const deadline = performance.now() + leaderMs;
    while (performance.now() < deadline) {
      const leader = await schedulers.leader().catch(() => undefined);
      if (leader !== undefined) return leader;
      await sleep(100);
    }
    return schedulers.members[0];
  }

  /** The relay of that scheduler. */
  relayOf(scheduler: SchedulerProcess | undefined): Relay | undefined {
    return this.relays[this.cluster.schedulers.members.findIndex((member) => member === scheduler)];
  }

  /** Whom each scheduler takes for the leader. */
  async leadersTold(): Promise<ReadonlyMap<string, string | undefined>> {
    const told = this.apiUrls.map(async (url) => {
      const { data, status } = await axios.get<{ leader?: string }>(`${url}/v2/leader`, {
        proxy: false,
        timeout: 5_000,
        validateStatus: () => true,
      });
      return [url, status === 200 ? data.leader : undefined] as const;
    });
    return new Map(await Promise.all(told));
  }
}
