import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { keyOf, nodeName } from '../../scheduler/store/zookeeper/layout.ts';
import { decodeRecord, encodeRecord } from '../../scheduler/store/zookeeper/record-bytes.ts';
import { parseZooKeeperAddress } from '../../src/zookeeper/address.ts';
import { framed, MessageFramer } from '../../src/zookeeper/framer.ts';
import { JuteReader, JuteWriter } from '../../src/zookeeper/jute.ts';
import { encodeMulti, openAcl, readMultiFailure } from '../../src/zookeeper/messages.ts';

test('any chunking of the stream gives the same messages', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  fc.assert(
    fc.property(messages, fc.array(fc.nat(30), { maxLength: 60 }), (sent, sizes) => {
      const stream = Buffer.concat(sent.map((message) => framed(Buffer.from(message))));
      const framer = new MessageFramer(1_000);
      const got: Buffer[] = [];
      let at = 0;
      for (const size of [...sizes, stream.length]) {
        got.push(...framer.push(stream.subarray(at, at + size)));
        at += size;
      }
      expect(got.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
    }),
  );
});

test('a length that makes no sense ends the stream', () => {
  const framer = new MessageFramer(100);
  expect(() => framer.push(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toThrow('message of -1 bytes');
  expect(() => new MessageFramer(100).push(Buffer.from([0, 0, 1, 0]))).toThrow('message of 256 bytes');
});

test('jute gives back what was written, and says so when bytes are missing', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.uint8Array(),
      fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
      (text, bytes, n) => {
        const written = new JuteWriter().string(text).buffer(bytes).long(n).bool(true).bytes();
        const reader = new JuteReader(written);
        expect([reader.string(), [...reader.buffer()], reader.long(), reader.bool()]).toEqual([
          text,
          [...bytes],
          n,
          true,
        ]);
        expect(() => reader.int()).toThrow('ends too early');
      },
    ),
  );
});

test('a transaction has the bytes that the protocol asks for', () => {
  const bytes = encodeMulti(7, [
    { kind: 'set', path: '/a', data: Buffer.from('x'), version: 3 },
    { kind: 'create', path: '/b', data: Buffer.alloc(0), acl: openAcl, mode: 0 },
    { kind: 'delete', path: '/c' },
  ]);
  const reader = new JuteReader(bytes);
  expect([reader.int(), reader.int()]).toEqual([7, 14]);
  expect([reader.int(), reader.bool(), reader.int()]).toEqual([5, false, -1]);
  expect([reader.string(), reader.buffer().toString(), reader.int()]).toEqual(['/a', 'x', 3]);
  expect([reader.int(), reader.bool(), reader.int()]).toEqual([1, false, -1]);
  expect([reader.string(), reader.buffer().length]).toEqual(['/b', 0]);
  expect(reader.vector(() => [reader.int(), reader.string(), reader.string()])).toEqual([
    [31, 'world', 'anyone'],
  ]);
  expect(reader.int()).toBe(0);
  expect([reader.int(), reader.bool(), reader.int()]).toEqual([2, false, -1]);
  expect([reader.string(), reader.int()]).toEqual(['/c', -1]);
  expect([reader.int(), reader.bool(), reader.int()]).toEqual([-1, true, -1]);
});

test('of a transaction that failed the operation is found that was the reason', () => {
  const answer = new JuteWriter();
  for (const code of [0, -103, -2]) answer.int(-1).bool(false).int(code).int(code);
  answer.int(-1).bool(true).int(-1);
  expect(readMultiFailure(new JuteReader(answer.bytes()))).toEqual({ index: 1, code: -103 });
});

test('addresses are read as Mesos and Marathon write them', () => {
  expect(parseZooKeeperAddress('zk://ann:s%40y:no@zk1:2182,[::1]:2183,zk3/a/patchpanel/')).toEqual({
    servers: [
      { host: 'zk1', port: 2182 },
      { host: '::1', port: 2183 },
      { host: 'zk3', port: 2181 },
    ],
    credentials: 'ann:s@y:no',
    path: '/a/patchpanel',
  });
  expect(parseZooKeeperAddress('zk://zk1')).toMatchObject({ path: '', credentials: undefined });
});

test.each([
  ['http://zk1/x', 'must look like'],
  ['zk:///x', 'must look like'],
  ['zk://ann@zk1/x', 'user:password'],
  ['zk://zk1:99999/x', 'zk1:99999'],
  ['zk://zk1,/x', '"" is no server'],
  ['zk://zk1/a//b', 'empty or dots'],
  ['zk://zk1/a/../b', 'empty or dots'],
])('%s is refused with the reason', (text, why) => {
  expect(() => parseZooKeeperAddress(text)).toThrow(why);
});

test('every key has a node of its own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
      const name = nodeName(key);
      expect(keyOf(name)).toBe(key);
      expect(name).not.toMatch(/^\.{1,2}$|\//);
    }),
  );
  expect(() => nodeName('')).toThrow('needs a key');
});

test('records come back as they were, long ones compressed', () => {
  const long = { env: 'PATH=/usr/bin '.repeat(2_000) };
  expect(encodeRecord(long).length).toBeLessThan(2_000);
  for (const value of [long, 'x', 0, null, ['ü']]) {
    expect(decodeRecord(encodeRecord(value), '/p')).toEqual(value);
  }
  expect(() => decodeRecord(Buffer.from('{'), '/p/app')).toThrow('/p/app');
});
