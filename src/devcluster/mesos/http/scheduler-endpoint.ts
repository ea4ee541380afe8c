import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SchedulerCall, SchedulerEvent } from '../../../../proto/mesos.gen.ts';
import { randomUuidText } from '../core/ids.ts';
import type { Master } from '../core/master.ts';
import type { EventStream } from '../core/master-state.ts';
import { checkSchedulerCall } from '../core/scheduler-call-check.ts';
import type { Faults } from '../faults.ts';
import { acceptedEncoding, readCall } from './call-body.ts';
import { RecordStream } from './event-stream.ts';
import { send, type Answer } from './exchange.ts';

/** What the endpoint needs of the master that leads at the moment. */
export interface SchedulerEndpointOptions {
  readonly faults: Faults;
  readonly random: () => number;
  /** The leader at this address; it may change while a body is read. */
  readonly leader: () => Master | undefined;
  readonly opened: (stream: SchedulerStream) => void;
}

/** The stream of one subscription. */
export class SchedulerStream implements EventStream {
  readonly id: string;
  readonly #records: RecordStream<'SchedulerEvent'>;
  readonly #faults: Faults;

  constructor(id: string, records: RecordStream<'SchedulerEvent'>, faults: Faults) {
    this.id = id;
    this.#records = records;
    this.#faults = faults;
  }

  send(event: SchedulerEvent): void {
    for (let copies = this.#faults.copies(event); copies > 0; copies -= 1) this.#records.send(event);
  }

  end(): void {
    this.#records.end();
  }

  /** Breaks the connection. */
  destroy(): void {
    this.#records.destroy();
  }
}

const noLeader: Answer = { status: 503, body: 'No leader elected' };

/** `POST /api/v1/scheduler` at the leader; authentication and redirection came before. */
export async function handleScheduler(
  options: SchedulerEndpointOptions,
  request: IncomingMessage,
  response: ServerResponse,
  principal: string | undefined,
): Promise<void> {
  const read = await readCall(request, 'SchedulerCall');
  if ('refusal' in read) return send(response, read.refusal);
  const problem = checkSchedulerCall(read.call, principal);
  if (problem !== undefined) {
    return send(response, { status: 400, body: `Failed to validate scheduler::Call: ${problem}` });
  }
  const master = options.leader();
  if (master === undefined) return send(response, noLeader);
  if (read.call.type === 'SUBSCRIBE') {
    return subscribe(options, master, request, response, withPrincipal(read.call, principal));
  }
  send(response, carryOut(options, master, request, read.call, principal));
}

function subscribe(
  options: SchedulerEndpointOptions,
  master: Master,
  request: IncomingMessage,
  response: ServerResponse,
  call: SchedulerCall,
): void {
  const accepted = acceptedEncoding(request.headers.accept);
  if ('refusal' in accepted) return send(response, accepted.refusal);
  if (request.headers['mesos-stream-id'] !== undefined) {
    const body = "Subscribe calls should not include the 'Mesos-Stream-Id' header";
    return send(response, { status: 400, body });
  }
  const id = randomUuidText(options.random);
  const records = new RecordStream(response, accepted.encoding, 'SchedulerEvent', { 'Mesos-Stream-Id': id });
  const stream = new SchedulerStream(id, records, options.faults);
  response.once('close', () => master.streamClosed(stream));
  options.opened(stream);
  master.subscribe(call, stream);
}

function carryOut(
  options: SchedulerEndpointOptions,
  master: Master,
  request: IncomingMessage,
  call: SchedulerCall,
  principal: string | undefined,
): Answer {
  const framework = master.framework(call.framework_id?.value ?? '');
  if (framework === undefined) return { status: 400, body: 'Framework cannot be found' };
  const owner = framework.info.principal;
  if (principal !== undefined && owner !== principal) {
    const body = `Authenticated principal '${principal}' does not match principal '${owner}' set in \`FrameworkInfo\``;
    return { status: 400, body };
  }
  if (framework.stream === undefined) return { status: 403, body: 'Framework is not subscribed' };
  const streamId = request.headers['mesos-stream-id'];
  if (streamId === undefined) {
    return { status: 400, body: "All non-subscribe calls should include the 'Mesos-Stream-Id' header" };
  }
  if (streamId !== framework.stream.id) {
    const body = `The stream ID '${String(streamId)}' included in this request didn't match the stream ID currently associated with framework ID ${framework.id}`;
    return { status: 400, body };
  }
  const { type = 'UNKNOWN' } = call;
  if (type === 'UNKNOWN') return { status: 501, body: 'Received UNKNOWN call' };
  if (!options.faults.takeLoss(type)) master.call(framework, call);
  return { status: 202 };
}

function withPrincipal(call: SchedulerCall, principal: string | undefined): SchedulerCall {
  const info = call.subscribe?.framework_info;
  if (principal === undefined || info === undefined || info.principal !== undefined) return call;
  return { ...call, subscribe: { ...call.subscribe, framework_info: { ...info, principal } } };
}
