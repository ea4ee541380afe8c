import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AnswerReader } from '../../src/mesos/answer-reader.ts';

const text = fc.string({ maxLength: 40, unit: fc.constantFrom('a', 'Z', '\r', '\n', '0', ':', 'é') });

/** An answer as a server writes it, and what is to be read of it. */
const written = fc.record({ status: fc.constantFrom(200, 202, 400, 503), text, chunked: fc.boolean() });

const bytesOf = (answer: { status: number; text: string; chunked: boolean }): Buffer => {
  const body = Buffer.from(answer.text);
  const head = `HTTP/1.1 ${answer.status} Something\r\nDate: now\r\n`;
  if (!answer.chunked)
    return Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body]);
  const chunks = [...body].map((byte) =>
    Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]),
  );
  return Buffer.concat([
    Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`),
    ...chunks,
    Buffer.from('0\r\n\r\n'),
  ]);
};

test('however answers are cut, they are read as they were written', () => {
  fc.assert(
    fc.property(
      fc.array(written, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (answers, sizes) => {
        const bytes = Buffer.concat(answers.map(bytesOf));
        const reader = new AnswerReader();
        const found = [];
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const size = sizes[n % sizes.length]!;
          found.push(...reader.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(found).toEqual(answers.map((each) => ({ status: each.status, message: each.text.trim() })));
      },
    ),
  );
});
