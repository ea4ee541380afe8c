import { expect, test } from '@jest/globals';
import { EventBus, type BusEvent } from '../../scheduler/driver/event-bus.ts';

const noErrors = (error: unknown): void => {
  throw error;
};

function busWith(count: number, capacity = 10): EventBus {
  const bus = new EventBus(capacity, noErrors);
  for (let i = 1; i <= count; i += 1) bus.publish({ type: `e${i}`, fields: {} }, i);
  return bus;
}

test('an observer gets what is published after it came', () => {
  const bus = busWith(3);
  const seen: BusEvent[] = [];
  bus.subscribe((event) => seen.push(event));
  bus.publish({ type: 'e4', fields: { a: 1 } }, 4);
  expect(seen).toEqual([{ id: 4, at: 4, event: { type: 'e4', fields: { a: 1 } } }]);
});

test('an observer that comes back gets what it missed', () => {
  const bus = busWith(5);
  const { events, complete } = bus.since(2);
  expect(events.map(({ id }) => id)).toEqual([3, 4, 5]);
  expect(complete).toBe(true);
  expect(bus.since(5)).toEqual({ events: [], complete: true });
});

test('an observer that was away for too long is told that events are missing', () => {
  const { events, complete } = busWith(50, 10).since(30);
  expect(complete).toBe(false);
  expect(events.map(({ id }) => id)).toEqual([41, 42, 43, 44, 45, 46, 47, 48, 49, 50]);
});

test('an id of an event that never was is not mistaken for complete', () => {
  expect(busWith(5).since(700).complete).toBe(false);
});

test('an event that an observer throws at costs it that event alone, and the others nothing', () => {
  const errors: unknown[] = [];
  const bus = new EventBus(10, (error) => errors.push(error));
  const seen: string[] = [];
  bus.subscribe(({ id, event }) => {
    if (event.type === 'bad') throw new Error('what is that?');
    seen.push(`one ${id}`);
  });
  bus.subscribe(({ id }) => seen.push(`other ${id}`));
  bus.publish({ type: 'bad', fields: {} }, 1);
  bus.publish({ type: 'good', fields: {} }, 2);
  expect(errors).toHaveLength(1);
  expect(seen).toEqual(['other 1', 'one 2', 'other 2']);
});

test('after unsubscribing nothing more comes', () => {
  const bus = busWith(0);
  const ids: number[] = [];
  const unsubscribe = bus.subscribe((event) => ids.push(event.id));
  unsubscribe();
  bus.publish({ type: 'a', fields: {} }, 1);
  expect(ids).toEqual([]);
});
