import { applyDelta } from '../../src/fabric/view-diff.ts';
import { endpointKey, type EndpointState, type View } from '../../src/fabric/view.ts';
import type { ViewRecord } from '../../src/fabric/view-wire.ts';
import type { AgentId } from '../../src/model/ids.ts';
import type { ViewSink } from '../../scheduler/driver/views/host-feed.ts';
import type { ViewHub } from '../../scheduler/driver/views/hub.ts';

/**
 * A host as the hub sees it: keeps its view over reconnects, takes records only when told to read, and checks that
 * each delta follows on what it has.
 */
export class ViewClient {
  readonly host: AgentId;
  readonly #hub: ViewHub;
  view: View | undefined;
  readonly converged = new Map<string, EndpointState>();
  readonly snapshots: number[] = [];
  #unread: ViewRecord[] = [];
  #leave: (() => void) | undefined;
  #generation = 0;
  /** What the sink says that the host has not read. */
  outstandingBytes = 0;
  cut = false;

  constructor(hub: ViewHub, host: AgentId) {
    this.#hub = hub;
    this.host = host;
  }

  get connected(): boolean {
    return this.#leave !== undefined;
  }

  connect(): void {
    this.disconnect();
    this.#generation += 1;
    const generation = this.#generation;
    this.cut = false;
    this.outstandingBytes = 0;
    const sink = new ClientSink(
      (record) => void this.#unread.push(record),
      () => this.outstandingBytes,
      () => {
        if (generation === this.#generation) this.#lost();
      },
    );
    this.#leave = this.#hub.connect(this.host, this.view?.version, sink);
  }

  /** The connection breaks: what was not read is lost. */
  disconnect(): void {
    this.#generation += 1;
    const leave = this.#leave;
    this.#lost();
    leave?.();
  }

  /** Reads everything that came and puts it in force, without acknowledging. */
  read(): void {
    for (const record of this.#unread.splice(0)) this.#take(record);
  }

  /** Reads everything and acknowledges the newest version. */
  catchUp(): void {
    if (!this.connected) return;
    this.read();
    if (this.view !== undefined) this.#hub.acknowledge(this.host, this.view.version);
    this.read();
  }

  get unread(): readonly ViewRecord[] {
    return this.#unread;
  }

  #lost(): void {
    this.cut = true;
    this.#leave = undefined;
    this.#unread = [];
  }

  #take(record: ViewRecord): void {
    switch (record.kind) {
      case 'snapshot':
        this.view = record.view;
        this.snapshots.push(record.view.version.n);
        return;
      case 'delta': {
        if (this.view === undefined) throw new Error('a delta before any snapshot');
        const result = applyDelta(this.view, record.delta);
        if (result.kind === 'refused') throw new Error(result.problem);
        this.view = result.view;
        return;
      }
      case 'converged':
        this.converged.set(endpointKey(record.endpoint), record.state);
        return;
      case 'heartbeat':
      case 'question':
        return;
    }
  }
}

class ClientSink implements ViewSink {
  readonly write: (record: ViewRecord) => void;
  readonly end: () => void;
  readonly #outstanding: () => number;

  constructor(write: (record: ViewRecord) => void, outstanding: () => number, end: () => void) {
    this.write = write;
    this.end = end;
    this.#outstanding = outstanding;
  }

  get outstandingBytes(): number {
    return this.#outstanding();
  }
}
