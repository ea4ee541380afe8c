import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { RecordDecoder, encodeRecord } from '../../src/mesos/recordio.ts';

/** Cuts `bytes` at the given places, whatever they are. */
function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const record = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ minLength: 90, maxLength: 1200 }));
const cuts = fc.oneof(fc.array(fc.nat(), { maxLength: 8 }), fc.constant('every byte' as const));

test('any split of any stream gives the same records', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 6 }), cuts, (records, places) => {
      const stream = Buffer.concat(records.map(encodeRecord));
      const chunks =
        places === 'every byte' ? [...stream].map((byte) => Buffer.from([byte])) : split(stream, places);
      const decoder = new RecordDecoder();
      const decoded = chunks.flatMap((chunk) => decoder.push(chunk));
      decoder.end();
      expect(decoded.map((bytes) => bytes.toString('hex'))).toEqual(
        records.map((bytes) => Buffer.from(bytes).toString('hex')),
      );
    }),
  );
});

test('a stream that is cut off gives the records before the cut and then an error', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.nat(), (records, cut) => {
      const stream = Buffer.concat(records.map(encodeRecord));
      const kept = stream.subarray(0, cut % stream.length);
      const decoder = new RecordDecoder();
      const decoded = decoder.push(kept);
      const complete = Buffer.concat(decoded.map(encodeRecord));
      expect(kept.subarray(0, complete.length).equals(complete)).toBe(true);
      if (complete.length === kept.length) decoder.end();
      else expect(() => decoder.end()).toThrow('ended inside a record');
    }),
  );
});

test('any bytes give records or an error that says so, the same for any split', () => {
  const outcome = (chunks: readonly Buffer[]): unknown => {
    const decoder = new RecordDecoder(1000);
    const records: string[] = [];
    try {
      for (const chunk of chunks) records.push(...decoder.push(chunk).map((bytes) => bytes.toString('hex')));
      decoder.end();
      return records;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const garbage = fc.array(fc.constantFrom(...Buffer.from('0129\n\nx-\r ')), { maxLength: 40 });
  fc.assert(
    fc.property(garbage, fc.array(fc.nat(), { maxLength: 5 }), (bytes, places) => {
      const stream = Buffer.from(bytes);
      expect(outcome(split(stream, places))).toEqual(outcome([stream]));
    }),
  );
});
