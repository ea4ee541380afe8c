import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { encodeMessage, MessageFramer } from '../../executor/adapters/openflow/messages.ts';
import { JsonFramer } from '../../executor/adapters/ovsdb/json-framer.ts';

/** Cuts bytes at the given places, taken modulo the length. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const ends = [...places, bytes.length];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 40 });
/** Only objects and lists may stand alone in a JSON-RPC stream. */
const messages = fc.array(
  fc.oneof(
    fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' })),
    fc.array(fc.jsonValue({ stringUnit: 'binary' })),
  ),
  { maxLength: 6 },
);

test('any chunking of a stream of JSON texts gives the same values', () => {
  const gaps = fc.array(fc.constantFrom('', ' ', '\n', '\r\n\t'), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(messages, gaps, cuts, (values, spaces, places) => {
      const texts = values.map((value, index) => JSON.stringify(value) + (spaces[index] ?? ''));
      const framer = new JsonFramer();
      const got = chunksOf(Buffer.from(texts.join('')), places).flatMap((chunk) => framer.push(chunk));
      expect(got).toEqual(values.map((value) => JSON.parse(JSON.stringify(value)) as unknown));
    }),
  );
});

test('any chunking of a stream of OpenFlow messages gives the same messages', () => {
  const message = fc.record({
    type: fc.integer({ min: 0, max: 255 }),
    xid: fc.integer({ min: 0, max: 0xffffffff }),
    body: fc.uint8Array({ maxLength: 60 }),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), cuts, (sent, places) => {
      const framer = new MessageFramer();
      const bytes = Buffer.concat(sent.map(encodeMessage));
      const got = chunksOf(bytes, places).flatMap((chunk) => framer.push(chunk));
      const plain = ({ type, xid, body }: { type: number; xid: number; body: Uint8Array }) => [
        type,
        xid,
        [...body],
      ];
      expect(got.map(plain)).toEqual(sent.map(plain));
    }),
  );
});
