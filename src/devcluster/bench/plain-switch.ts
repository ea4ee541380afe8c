import { run } from '../../runtime/process.ts';
import { agentLabel } from '../cleanup.ts';
import type { DevCluster } from '../cluster.ts';
import { removeContainers } from '../engine-client.ts';
import { busyboxImage } from '../images.ts';
import { ipBatch } from '../links.ts';
import type { Member } from '../member.ts';

const bridge = 'br-plain';
const tunnelKey = 4242;
const label = 'patchpanel.bench=plain-switch';
const [labelKey = '', labelValue = ''] = label.split('=');

/** A namespace on the plain switch. */
export interface PlainSeat {
  readonly pid: number;
  readonly ip: string;
}

/**
 * What Patchpanel is held against: in the same Open vSwitch of each host, on the same datapath, a learning bridge
 * (action NORMAL) with containers plugged in by hand and one tunnel to the peer.
 */
export class PlainSwitch {
  readonly #cluster: DevCluster;
  readonly #hosts: readonly [Member, Member];
  readonly #mtu: number;
  #seats = 0;

  private constructor(cluster: DevCluster, hosts: readonly [Member, Member], mtu: number) {
    this.#cluster = cluster;
    this.#hosts = hosts;
    this.#mtu = mtu;
  }

  /** Bridges on both hosts and the tunnel between them. @throws PatchpanelError `external`, with nothing left behind */
  static async create(
    cluster: DevCluster,
    hosts: readonly [Member, Member],
    mtu: number,
  ): Promise<PlainSwitch> {
    const made = new PlainSwitch(cluster, hosts, mtu);
    const [one, other] = hosts;
    try {
      await made.#addBridge(one, other);
      await made.#addBridge(other, one);
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  }

  /** Starts a container on a host and plugs it in. */
  async seat(host: Member): Promise<PlainSeat> {
    this.#seats += 1;
    const ip = `198.18.255.${this.#seats}`;
    const veth = `plain${this.#seats}`;
    const pid = await this.#startContainer(host);
    const { netns } = host.host.plan;
    await ipBatch(
      [
        `link add ${veth} mtu ${this.#mtu} type veth peer name eth0 mtu ${this.#mtu} netns ${pid}`,
        `link set ${veth} up`,
      ],
      netns,
    );
    const enter = ['-t', String(pid), '-n'];
    await run('nsenter', [...enter, 'ip', 'address', 'add', `${ip}/24`, 'dev', 'eth0']);
    await run('nsenter', [...enter, 'ip', 'link', 'set', 'eth0', 'up']);
    await run('nsenter', [...enter, 'ethtool', '-K', 'eth0', 'tx', 'off']);
    await vsctl(host, ['add-port', bridge, veth]);
    return { pid, ip };
  }

  /** Takes everything away; veths go with their containers. */
  async close(): Promise<void> {
    for (const host of this.#hosts) await vsctl(host, ['--if-exists', 'del-br', bridge]);
    await removeContainers(this.#cluster.substrate.engine.client, label);
  }

  async #addBridge(host: Member, peer: Member): Promise<void> {
    const tunnel = [
      'type=vxlan',
      `options:remote_ip=${peer.host.plan.underlayIp}`,
      `options:key=${tunnelKey}`,
    ];
    await vsctl(
      host,
      ['add-br', bridge],
      ['set', 'Bridge', bridge, 'datapath_type=netdev', 'fail_mode=standalone'],
      ['add-port', bridge, 'plain-tunnel'],
      ['set', 'Interface', 'plain-tunnel', ...tunnel],
    );
  }

  async #startContainer(host: Member): Promise<number> {
    const container = await this.#cluster.substrate.engine.client.createContainer({
      Image: busyboxImage,
      Cmd: ['sleep', '100000'],
      // The agent's label makes it go with the cluster if this process cannot take it away.
      Labels: { [labelKey]: labelValue, [agentLabel]: String(host.agentId) },
      HostConfig: { NetworkMode: 'none' },
    });
    await container.start();
    return (await container.inspect()).State.Pid;
  }
}

/** Commands for the host's switch, in one transaction. */
const vsctl = (host: Member, ...commands: readonly (readonly string[])[]): Promise<string> =>
  run('ovs-vsctl', [
    '--timeout=10',
    `--db=unix:${host.host.ovsRunDir}/db.sock`,
    ...commands.flatMap((words) => ['--', ...words]),
  ]);
