import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DropSeries } from './counters/drop-series.ts';

interface Counted {
  readonly packets: number;
  readonly bytes: number;
}

/** What the gauges read when somebody asks. */
export interface MetricSources {
  readonly queuedEvents: () => number;
  readonly undurableFrames: () => number;
  readonly reconcileRemaining: () => number;
  readonly instances: () => number;
  /** Over all hosts. */
  readonly viewLag: () => number;
  readonly pendingEndpoints: () => number;
  readonly connectedHosts: () => number;
  readonly dropped: () => readonly DropSeries[];
  readonly delivered: () => Counted;
}

/** All metrics as plain values, by name; one with labels has a name for each of them, `name.value`. */
export interface MetricValues {
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
  readonly histograms: Readonly<Record<string, { readonly count: number; readonly sum: number }>>;
}

/**
 * The scheduler's own metrics. Labels have few values; only drops name hosts and slots, at most `seriesLimits.told` of each reason.
 */
export class SchedulerMetrics {
  readonly registry = new Registry();
  readonly subscribed = this.#gauge('subscribed', 'Whether the Mesos stream is subscribed (0 or 1)');
  readonly launches = this.#counter('launches_total', 'Tasks sent to Mesos');
  readonly offers = this.#counter('offers_total', 'Offers received');
  readonly commits = this.#counter('commits_total', 'Synced writes of the store');
  readonly records = this.#counter('records_total', 'Records written to the store or deleted');
  readonly viewCutOffs = this.#counter('view_cut_offs_total', 'Hosts cut off because they read too slowly');
  readonly eventCutOffs = this.#counter(
    'event_cut_offs_total',
    'Event streams cut off because their clients read too slowly',
  );
  readonly statusUpdates = new Counter({
    name: 'patchpanel_status_updates_total',
    help: 'Task status updates received, by condition',
    labelNames: ['condition'] as const,
    registers: [this.registry],
  });
  readonly stepSeconds = new Histogram({
    name: 'patchpanel_step_seconds',
    help: 'Time to decide on one event',
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5],
    registers: [this.registry],
  });
  readonly commitSeconds = new Histogram({
    name: 'patchpanel_commit_seconds',
    help: 'Time to make frames durable',
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Adds the gauges that are read from the running parts. */
  observe(sources: MetricSources): void {
    this.#readGauge('queued_events', 'Events that wait to be decided', sources.queuedEvents);
    this.#readGauge('undurable_frames', 'Frames that wait for the store', sources.undurableFrames);
    this.#readGauge(
      'reconcile_remaining',
      'Tasks that Mesos was asked about and has not answered',
      sources.reconcileRemaining,
    );
    this.#readGauge('instances', 'Instances in the books', sources.instances);
    this.#readGauge('view_lag', 'Changes that hosts were sent and have not acknowledged', sources.viewLag);
    this.#readGauge(
      'view_pending_endpoints',
      'Endpoints that not every host has acknowledged',
      sources.pendingEndpoints,
    );
    this.#readDrops(sources.dropped);
    this.#readCounter(
      'delivered_packets_total',
      'Packets delivered by the switches',
      () => sources.delivered().packets,
    );
    this.#readCounter(
      'delivered_bytes_total',
      'Bytes delivered by the switches',
      () => sources.delivered().bytes,
    );
    this.#readGauge('connected_hosts', 'Hosts with an open view stream', sources.connectedHosts);
  }

  /** Everything in Prometheus's text form. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Everything as values. */
  async values(): Promise<MetricValues> {
    const counters: Record<string, number> = {};
    const gauges: Record<string, number> = {};
    const histograms: Record<string, { count: number; sum: number }> = {};
    for (const { name, type, values } of await this.registry.getMetricsAsJSON()) {
      for (const { value, labels, ...rest } of values) {
        const parts = Object.values(labels).map((label) => String(label).toLowerCase());
        // A histogram's values are named one by one: its buckets, its count and its sum.
        const part = 'metricName' in rest ? String(rest.metricName) : name;
        const full = [part, ...parts].join('.');
        if (type.toString() === 'counter') counters[full] = value;
        else if (type.toString() === 'gauge') gauges[full] = value;
        else if (part === `${name}_count`) histograms[name] = { sum: 0, ...histograms[name], count: value };
        else if (part === `${name}_sum`) histograms[name] = { count: 0, ...histograms[name], sum: value };
      }
    }
    return { counters, gauges, histograms };
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name: `patchpanel_${name}`, help, registers: [this.registry] });
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name: `patchpanel_${name}`, help, registers: [this.registry] });
  }

  /** Counters of the hosts: they are counted there. */
  #readDrops(read: MetricSources['dropped']): void {
    const counter: Counter<'reason' | 'host' | 'slot'> = new Counter({
      name: 'patchpanel_dropped_packets_total',
      help: 'Packets dropped by the switches, by reason, host and slot; the largest, and the sum of all others',
      labelNames: ['reason', 'host', 'slot'] as const,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        for (const { reason, host, slot, packets } of read())
          counter.inc({ reason, host, ...(slot === undefined ? {} : { slot }) }, packets);
      },
    });
  }

  #readCounter(name: string, help: string, read: () => number): void {
    const counter: Counter = new Counter({
      name: `patchpanel_${name}`,
      help,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }

  #readGauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `patchpanel_${name}`,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }
}
