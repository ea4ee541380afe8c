import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { mesosCodec } from '../../src/mesos/codec.ts';
import { decodeMaster, masterNodes } from '../../src/mesos/master-nodes.ts';

test('the oldest node leads, in both formats, and other nodes of the group are none', () => {
  expect(
    masterNodes([
      'log_replicas',
      'json.info_0000000012',
      'info_0000000003',
      'json.info_0000000007',
      'info_3',
    ]),
  ).toEqual(['info_0000000003', 'json.info_0000000007', 'json.info_0000000012']);
});

test('a node that a real master has written names it', async () => {
  const data = await readFile('test/data/captures/zookeeper-leader-node.json');
  expect(decodeMaster('json.info_0000000000', data)).toEqual({
    id: '706926ab-1b86-4008-a97f-3fd1cdbac118',
    address: '127.0.0.1:5060',
  });
});

test('a node in the old, binary format names it, too', () => {
  // 10.20.30.40 in network order, read as a little-endian number.
  const info = { id: 'm-1', ip: 0x281e140a, port: 5051, pid: 'master@10.20.30.40:5051' };
  const data = Buffer.from(mesosCodec.encode('MasterInfo', info, 'protobuf'));
  expect(decodeMaster('info_0000000001', data)).toEqual({ id: 'm-1', address: '10.20.30.40:5051' });
});

test('what cannot be read is passed over', () => {
  expect(decodeMaster('json.info_0000000001', Buffer.from('{"id":'))).toBeUndefined();
  expect(decodeMaster('info_0000000001', Buffer.from([0xff, 0xff]))).toBeUndefined();
  expect(decodeMaster('json.info_0000000001', Buffer.from('{"id":"m"}'))).toBeUndefined();
});
