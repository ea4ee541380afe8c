import axios from 'axios';
import { z } from 'zod';

const slotEventSchema = z.looseObject({
  eventType: z.string(),
  timestamp: z.string(),
  appId: z.string(),
  epoch: z.number(),
});

/** A step of a handover as the scheduler told it. */
export interface SlotEvent {
  readonly type: string;
  readonly epoch: number;
  /** Milliseconds since 1970, by the scheduler's clock. */
  readonly at: number;
}

/** The steps of an app's handovers, read from the scheduler's event stream until it is closed. */
export class SlotEvents {
  readonly seen: SlotEvent[] = [];
  readonly #stop = new AbortController();
  readonly #appId: string;

  private constructor(appId: string) {
    this.#appId = appId;
  }

  /** Resolves when the stream is open, so that nothing that happens from then on is missed. */
  static async open(apiUrl: string, appId: string): Promise<SlotEvents> {
    const events = new SlotEvents(appId);
    const { data } = await axios.get<NodeJS.ReadableStream>(`${apiUrl}/v2/events?event_type=*`, {
      headers: { Accept: 'text/event-stream' },
      responseType: 'stream',
      proxy: false,
      signal: events.#stop.signal,
    });
    data.setEncoding('utf8');
    let rest = '';
    data.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('data:')) events.#take(line.slice('data:'.length));
    });
    // The end is ours: close() ends the stream.
    data.on('error', () => undefined);
    return events;
  }

  close(): void {
    this.#stop.abort();
  }

  #take(json: string): void {
    const { success, data } = slotEventSchema.safeParse(JSON.parse(json));
    if (!success || data.appId !== this.#appId) return;
    this.seen.push({ type: data.eventType, epoch: data.epoch, at: Date.parse(data.timestamp) });
  }
}
