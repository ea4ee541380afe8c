import type { AddressInfo, Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { hostRoutes } from '../../../scheduler/api/hosts/routes.ts';
import { defaultViewLimits, ViewHub } from '../../../scheduler/driver/views/hub.ts';
import type { EndpointKey } from '../../fabric/view.ts';
import type { AgentId } from '../../model/ids.ts';
import { systemClock } from '../../runtime/clock.ts';
import { sleep } from '../../runtime/deadline.ts';
import { PatchpanelError } from '../../runtime/errors.ts';
import { projectRoot } from '../project.ts';

/** A host that takes long is waited for: that it takes long is what is measured. */
const ackTimeoutMs = 120_000;

/** The leader's side of views over real HTTP: its hub and its routes, without a core and a store behind them. */
export class ViewLeader {
  readonly hub: ViewHub;
  readonly #server: FastifyInstance;
  readonly #sockets = new Set<Socket>();
  #closedBytes = 0;

  /** @param onConverged every host has acknowledged the endpoint */
  constructor(onConverged: (endpoint: EndpointKey) => void) {
    this.hub = new ViewHub({
      ...defaultViewLimits,
      ackTimeoutMs,
      term: 1,
      clock: systemClock,
      isReachable: () => true,
      onConverged,
      onCutOff: () => undefined,
    });
    this.#server = Fastify({ logger: false, forceCloseConnections: true });
    void this.#server.register(
      hostRoutes({
        expectsHost: () => true,
        report: (host, { applied }) => Promise.resolve(applied && this.hub.acknowledge(host, applied)),
        connectView: (host, have, sink) => this.hub.connect(host, have, sink),
        counted: () => undefined,
        answered: () => false,
        bundle: { directory: projectRoot() },
      }),
    );
  }

  /** Bytes that left this process on all connections of hosts. */
  get bytesSent(): number {
    return [...this.#sockets].reduce((sum, socket) => sum + socket.bytesWritten, this.#closedBytes);
  }

  /** Resolves when these hosts have put the newest view in force. @throws PatchpanelError `deadline` */
  async whenApplied(hosts: readonly AgentId[], timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const behind = hosts.filter((host) => this.hub.status(host)?.lag !== 0);
      if (behind.length === 0) return;
      if (performance.now() > deadline)
        throw new PatchpanelError('deadline', `${behind.length} hosts have no view after ${timeoutMs} ms`);
      await sleep(20);
    }
  }

  /** Gives its URL, on the loopback of this process's network namespace. */
  async listen(): Promise<string> {
    this.#server.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#closedBytes += socket.bytesWritten;
        this.#sockets.delete(socket);
      });
    });
    await this.#server.listen({ host: '127.0.0.1', port: 0 });
    const { port } = this.#server.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    this.hub.close();
    await this.#server.close();
  }
}
