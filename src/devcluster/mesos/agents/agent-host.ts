import type { Server } from 'node:http';
import path from 'node:path';
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { Agent } from '../core/agent.ts';
import { emptyAgentState, type AgentState, type ContainerEnd } from '../core/agent-state.ts';
import type { Endpoint } from '../core/messages.ts';
import type { Master } from '../core/master.ts';
import { handleExecutor } from '../http/executor-endpoint.ts';
import { send } from '../http/exchange.ts';
import { closeServer, httpServer, listenOn } from '../http/server.ts';
import { handleAgentPages } from '../http/agent-pages.ts';
import type { AgentOptions, Timings } from '../options.ts';
import { Wire } from '../wire.ts';
import { agentInfo } from './agent-info.ts';
import { Fetcher } from './fetcher.ts';
import { ProcessContainers } from './process-containers.ts';
import { SimulatedContainers } from './simulated-containers.ts';

export interface AgentHostOptions {
  readonly agent: AgentOptions;
  /** Where it listens unless its own options say how. */
  readonly defaultHost: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timings: Timings;
  readonly log: Logger;
  readonly post: (delivery: () => void) => void;
  /** Something may have changed that somebody waits for. */
  readonly notify: () => void;
  /** The leading master, if there is one. */
  readonly leader: () => Master | undefined;
}

/**
 * A machine with an agent: its disk, its executors, its HTTP server and, while it is up, the agent's process.
 * INVARIANTS: at most one agent process and one connection at a time; executors live on when the process stops.
 */
export class AgentHost {
  readonly options: AgentOptions;
  /** What is on its disk. */
  readonly disk: AgentState = emptyAgentState();
  endpoint: Endpoint = { host: '', port: 0 };
  readonly #host: AgentHostOptions;
  readonly #containers: ProcessContainers | SimulatedContainers;
  readonly #missedEnds = new Map<string, ContainerEnd>();
  #agent: Agent | undefined;
  #server: Server | undefined;
  #wire: Wire | undefined;
  #cut = false;

  constructor(options: AgentHostOptions) {
    this.#host = options;
    this.options = options.agent;
    this.#containers = this.#createContainers();
  }

  get agent(): Agent | undefined {
    return this.#agent;
  }

  get isCut(): boolean {
    return this.#cut;
  }

  /** Starts the agent's process; it registers when there is a leader. Rejects when it cannot listen. */
  async start(): Promise<void> {
    const { log } = this.#host;
    const server = httpServer(log, async (request, response, url) => {
      const agent = this.#agent;
      if (agent === undefined)
        return send(response, { status: 503, body: 'Agent has not finished recovery' });
      const name = url.pathname.replace(/^\/slave\(1\)/, '');
      if (name === '/api/v1/executor') await handleExecutor(agent, request, response);
      else handleAgentPages(this, name, request, response);
      this.#host.notify();
    });
    this.#server = server;
    this.endpoint = await this.#listen(server);
    this.#agent = this.#createAgent();
    for (const [containerId, pid] of this.#containers.pids()) this.#agent.containerStarted(containerId, pid);
    for (const [containerId, end] of this.#missedEnds) this.#agent.containerEnded(containerId, end);
    this.#missedEnds.clear();
    if (this.#containers instanceof SimulatedContainers) this.#containers.resubscribe();
    this.connect();
  }

  /** The process dies at once; its connections break. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#agent?.stop();
    this.#agent = undefined;
    this.#server = undefined;
    this.#wire?.close();
    if (server !== undefined) await closeServer(server);
    this.#host.notify();
  }

  /** Connects to the leader, if there is one and the way is free. */
  connect(): void {
    const agent = this.#agent;
    const master = this.#host.leader();
    // A connection to the leader before must not be taken up again when the way is free.
    this.#wire?.close();
    if (agent === undefined || this.#cut || master === undefined) return;
    const wire = new Wire({
      post: this.#host.post,
      toMaster: (message) => master.receive(wire.atMaster, message),
      toAgent: (message) => agent.receive(message),
      closed: () => this.#disconnected(master, wire),
    });
    this.#wire = wire;
    agent.connect(wire.atAgent);
  }

  cut(): void {
    this.#cut = true;
    this.#wire?.cut();
  }

  heal(): void {
    this.#cut = false;
    if (this.#wire?.isOpen === true) this.#wire.heal();
    else this.connect();
  }

  /** SIGKILL to all executors. */
  killExecutors(): number {
    return this.#containers.destroyAll();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#containers.close();
  }

  #disconnected(master: Master, wire: Wire): void {
    // Through a cut network nobody sees a connection break; the master finds out by its pings.
    if (!this.#cut) master.agentDisconnected(wire.atMaster);
    if (this.#wire !== wire) return;
    this.#wire = undefined;
    this.#agent?.disconnect();
    this.#host.post(() => {
      if (this.#wire === undefined) this.connect();
    });
  }

  async #listen(server: Server): Promise<Endpoint> {
    const { agent, defaultHost } = this.#host;
    const { host, port } = await (agent.listen?.(server) ??
      listenOn(server, defaultHost, this.endpoint.port).then((own) => ({ host: defaultHost, port: own })));
    return { host: agent.endpointHost ?? host, port };
  }

  #createAgent(): Agent {
    const { agent, clock, random, timings, log } = this.#host;
    return new Agent({
      state: this.disk,
      info: agentInfo(agent, this.endpoint),
      endpoint: this.endpoint,
      workDir: agent.workDir,
      executorEnvironment: agent.executorEnvironment ?? {},
      containers: this.#containers,
      clock,
      random,
      timings,
      log,
    });
  }

  #createContainers(): ProcessContainers | SimulatedContainers {
    const { agent, timings, log, random, post, clock } = this.#host;
    const events = {
      started: (containerId: string, pid: number) => {
        this.#agent?.containerStarted(containerId, pid);
        this.#host.notify();
      },
      ended: (containerId: string, end: ContainerEnd) => {
        if (this.#agent === undefined) this.#missedEnds.set(containerId, end);
        else this.#agent.containerEnded(containerId, end);
        this.#host.notify();
      },
    };
    if (agent.executor === 'simulated') {
      return new SimulatedContainers({
        post,
        random,
        now: () => clock.now(),
        agent: () => this.#agent,
        events,
        onLaunch: agent.onSimulatedLaunch,
      });
    }
    const cacheDirectory = path.join(agent.workDir, 'fetch');
    const fetcher = new Fetcher({ cacheDirectory, stallMs: timings.fetchStallMs });
    return new ProcessContainers(fetcher, agent.spawnPrefix ?? [], events, log);
  }
}
