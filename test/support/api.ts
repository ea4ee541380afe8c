import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { HostStreamStatus } from '../../scheduler/api/deps.ts';
import { noAuditLog } from '../../scheduler/api/security/audit.ts';
import type { Security } from '../../scheduler/api/security/guard.ts';
import { HostTokens } from '../../scheduler/api/security/host-tokens.ts';
import { openApiDocument } from '../../scheduler/api/openapi/document.ts';
import { operations } from '../../scheduler/api/openapi/routes.ts';
import { createServer } from '../../scheduler/api/server.ts';
import type { Event, Offer, StatusUpdate } from '../../scheduler/core/events.ts';
import type { Frame } from '../../scheduler/core/effects.ts';
import { dropPlace } from '../../scheduler/driver/counters/drop-place.ts';
import { FabricCounters } from '../../scheduler/driver/counters/fabric-counters.ts';
import { PathFinder, type PathFinderOptions } from '../../scheduler/driver/paths/path-finder.ts';
import { createWorld, restore } from '../../scheduler/core/restore.ts';
import { step } from '../../scheduler/core/step.ts';
import { EventBus } from '../../scheduler/driver/event-bus.ts';
import type { Settings, World } from '../../scheduler/core/world.ts';
import {
  agentId,
  executorId,
  frameworkId,
  networkName,
  offerId,
  type AgentId,
  type TaskId,
} from '../../src/model/ids.ts';
import type { Condition } from '../../src/model/instance.ts';
import type { Forbiddable } from '../../src/model/app-rules.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { DescribedApi } from './openapi.ts';
import { settings as coreSettings } from './core-bench.ts';

type AskHost = PathFinderOptions['ask'];

let describedApi: DescribedApi | undefined;

/** The API's description, made once. */
function described(): DescribedApi {
  describedApi ??= new DescribedApi(openApiDocument(operations, '0.0.0'));
  return describedApi;
}

/** What a test changes of an API that lets everybody do everything. */
export interface ApiHarnessOptions {
  readonly security?: Partial<Security>;
  readonly forbidden?: readonly Forbiddable[];
  readonly allowedParameters?: readonly string[];
  readonly defaultImage?: string;
  readonly allowedOrigins?: readonly string[];
  readonly pathPrefix?: string;
}

/** The real API in front of the real core; Mesos is what the test says it is. */
export class ApiHarness {
  readonly world: World = createWorld();
  readonly server: FastifyInstance;
  readonly bus = new EventBus(100, (error) => {
    throw error;
  });
  /** Milliseconds since 1970; each change comes a second after the one before. */
  now = Date.parse('2026-01-02T03:04:05.000Z');
  /** Called before a change is decided on: somebody else may be faster. */
  beforeChange: () => void = () => undefined;
  /** Records that were stored so far. */
  stored = 0;
  readonly #timers = new Set<() => void>();
  #offers = 0;
  readonly counters = new FabricCounters(
    () => this.now,
    (host, subject) => dropPlace(this.world, host, subject),
  );
  /** What hosts answer when they are asked about paths. */
  askHost: AskHost = () => Promise.reject(new Error('no host was expected to be asked'));
  readonly paths = new PathFinder({
    world: () => this.world,
    ask: (host, frame, entrance) => this.askHost(host, frame, entrance),
  });
  #settings: Settings;
  readonly #streams = new Map<AgentId, HostStreamStatus>();

  constructor({
    security,
    forbidden = [],
    allowedParameters,
    defaultImage,
    allowedOrigins,
    pathPrefix,
  }: ApiHarnessOptions = {}) {
    this.#settings = {
      ...coreSettings,
      role: '*',
      rules: { forbidden, allowedParameters: new Set(allowedParameters) },
      api: { hostname: 'host-0', ports: [8080] },
    };
    const network = {
      name: networkName('default'),
      vni: 7,
      cidr: '10.32.0.0/16',
      domain: 'patchpanel.internal',
      quarantineSeconds: 300,
    };
    restore(this.world, [{ kind: 'network', key: network.name, value: network }]);
    this.step({ kind: 'subscribed', frameworkId: frameworkId('f-1') });
    const log = createLogger('test', 'silent');
    this.server = createServer({
      world: () => this.world,
      change: (change, request) => {
        this.beforeChange();
        const { result } = this.step({
          kind: 'change',
          change,
          ...(request === undefined ? {} : { request }),
        });
        if (result === undefined) throw new Error('a change was not answered');
        return Promise.resolve(result);
      },
      hostStatus: (id) => this.#streams.get(id),
      counters: this.counters,
      findPath: (from, to, traffic) => this.paths.find(from, to, traffic),
      now: () => this.now,
      after: (_delayMs, action) => {
        this.#timers.add(action);
        return () => this.#timers.delete(action);
      },
      events: this.bus,
      term: 7,
      onSlowClient: () => undefined,
      metrics: () => Promise.resolve('# metrics'),
      metricValues: () =>
        Promise.resolve({
          counters: { launches_total: 3 },
          gauges: { instances: 2 },
          histograms: { step_seconds: { count: 4, sum: 2 } },
        }),
      logLevel: log,
      hostRoutes: (_server, _options) => Promise.resolve(),
      security: {
        users: undefined,
        hostTokens: new HostTokens('key'),
        audit: noAuditLog,
        requestsPerSecond: 0,
        ...security,
      },
      allowedOrigins: allowedOrigins ?? [],
      secretProblem: (source) => (source === 'missing' ? 'there is no secret "missing"' : undefined),
      info: {
        version: '0.0.0',
        frameworkName: 'patchpanel',
        role: '*',
        user: 'root',
        hostname: 'host-0',
        advertiseUrl: 'http://127.0.0.1:8080',
        master: 'http://127.0.0.1:5050',
        failoverTimeoutSeconds: 604_800,
        defaultNetwork: networkName('default'),
        defaultImage,
        httpPort: 8080,
        pathPrefix: pathPrefix ?? '',
        httpsPort: undefined,
        build: 'test',
        declineOfferMs: 120_000,
        minReviveIntervalMs: 5_000,
        reconcileIntervalMs: 600_000,
        launchTimeoutMs: 300_000,
        maxVersions: 10,
        zkSessionTimeoutMs: 10_000,
        envVarsPrefix: '',
        launchTokens: 0,
        launchTokenIntervalMs: 30_000,
        maxInstancesPerOffer: 0,
      },
      log,
    });
  }

  step(event: Event): Frame {
    this.now += 1000;
    const frame = step(this.world, this.#settings, event, {
      now: this.now,
      uuid: randomUUID,
      isConnected: () => false,
    });
    this.stored += frame.writes.length;
    for (const effect of frame.effects) {
      if (effect.kind === 'publish') this.bus.publish(effect.event, this.now);
    }
    return frame;
  }

  /** An executor on agent `index` told of its host and reads its view. */
  reportHost(
    index: number,
    stream: Pick<HostStreamStatus, 'applied' | 'lag'>,
    underlayIp = `192.0.2.${index + 1}`,
  ): void {
    const id = agentId(`agent-${index}`);
    this.#streams.set(id, { connected: true, problem: undefined, ...stream });
    this.step({
      kind: 'host-facts',
      facts: {
        agentId: id,
        executorId: executorId('executor'),
        hostname: `host-${index}`,
        underlayIp,
        underlayMtu: 1500,
        datapath: 'netdev',
        ovsVersion: '3.1.0',
        dockerVersion: '20.10',
      },
    });
  }

  async call<T = Record<string, unknown>>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    body?: unknown,
  ) {
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await this.server.inject({
      method,
      url,
      ...(payload === undefined ? {} : { payload, headers: { 'content-type': 'application/json' } }),
    });
    const text = answer.body;
    const json: unknown = text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text;
    const seen = {
      method,
      url,
      status: answer.statusCode,
      contentType: String(answer.headers['content-type']),
      body: json,
    };
    const problems = described().problems(seen);
    if (problems.length > 0) throw new Error(`not as /v2/openapi.json has it: ${problems.join('; ')}`);
    return { status: answer.statusCode, headers: answer.headers, body: json as T };
  }

  /** Offers from `hosts` roomy agents; gives the ids of the tasks that were launched. */
  offer(hosts = 3): TaskId[] {
    const offers = Array.from({ length: hosts }, (_, index): Offer => {
      this.#offers += 1;
      return {
        id: offerId(`o-${this.#offers}`),
        agentId: agentId(`agent-${index}`),
        hostname: `host-${index}`,
        scalars: { cpus: 8000, mem: 8_000_000, disk: 8_000_000, gpus: 0 },
        ports: [{ begin: 31_000, end: 31_999 }],
        attributes: {},
        executorIds: [],
      };
    });
    return this.step({ kind: 'offers', offers }).effects.flatMap((effect) =>
      effect.kind === 'accept' ? effect.launches.map((launch) => launch.instance.taskId) : [],
    );
  }

  status(taskId: TaskId, condition: Condition, fields: Partial<StatusUpdate> = {}): void {
    const instance = this.world.instances.get(taskId);
    if (instance === undefined) throw new Error(`no task ${taskId}`);
    this.step({
      kind: 'status',
      status: { taskId, agentId: instance.agentId, condition, uuid: new Uint8Array(16), ...fields },
    });
  }

  /** As if the operator had started the scheduler anew with this forbidden. */
  forbid(...forbidden: Forbiddable[]): void {
    this.#settings = { ...this.#settings, rules: { ...this.#settings.rules, forbidden } };
  }

  /** As if much time had passed. */
  runTimers(): void {
    const due = [...this.#timers];
    this.#timers.clear();
    for (const action of due) action();
  }

  /** Everything launched and running. */
  runAll(): void {
    for (const task of this.offer()) this.status(task, 'running');
  }
}

export const webApp = {
  id: '/shop/web',
  instances: 2,
  cpus: 0.1,
  mem: 32,
  container: {
    docker: { image: 'web:1' },
    portMappings: [{ containerPort: 80, name: 'http' }],
  },
  networks: [{ mode: 'container' }],
};
