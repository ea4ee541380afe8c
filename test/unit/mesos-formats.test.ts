import { describe, expect, test } from '@jest/globals';
import { mesosCodec } from '../../src/mesos/codec.ts';
import { durationInfo, formatDuration, parseDuration } from '../../src/mesos/duration.ts';
import { readExecutorEnvironment } from '../../src/mesos/executor-environment.ts';
import { RecordDecoder, encodeRecord } from '../../src/mesos/recordio.ts';
import { readMesosTls } from '../../src/mesos/tls.ts';
import { isUuid, newUuid, uuidBytes, uuidText } from '../../src/mesos/uuid.ts';

describe('durations', () => {
  test.each([
    ['15mins', 900_000],
    ['1.5mins', 90_000],
    ['2secs', 2000],
    ['90secs', 90_000],
    ['500ms', 500],
    ['10us', 0.01],
    ['1000000ns', 1],
    ['1hrs', 3_600_000],
    ['3days', 259_200_000],
    ['1weeks', 604_800_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBeCloseTo(ms, 9);
  });

  test.each(['', '15', 'mins', '1 min', '1min', '1e3secs', '1,5secs'])('%j is refused', (text) => {
    expect(() => parseDuration(text)).toThrow('is not a duration');
  });

  test.each([
    [900_000, '15mins'],
    [90_000, '90secs'],
    [1500, '1500ms'],
    [604_800_000, '1weeks'],
    [0, '0ms'],
    [0.5, '500us'],
  ])('%d ms is written %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
    expect(parseDuration(text)).toBe(ms);
  });
});

test('what is longer than Mesos can say is the longest that it can, exactly in either encoding', () => {
  expect(durationInfo(1500.4)).toEqual({ nanoseconds: 1_500_400_000 });
  const longest = durationInfo(Number.MAX_SAFE_INTEGER * 1000);
  expect(BigInt(longest.nanoseconds)).toBeLessThan(2n ** 63n);
  for (const encoding of ['protobuf', 'json'] as const) {
    const written = mesosCodec.encode('DurationInfo', longest, encoding);
    expect(mesosCodec.decode('DurationInfo', written, encoding)).toEqual(longest);
  }
});

describe('uuids', () => {
  test('a fresh one is what agents accept, and text and back is the same', () => {
    const uuid = newUuid();
    expect(isUuid(uuid)).toBe(true);
    expect(uuidBytes(uuidText(uuid))).toEqual(uuid);
    expect(uuidText(uuid)[14]).toBe('4');
  });

  test('other bytes are none', () => {
    expect(isUuid(new Uint8Array(16))).toBe(false);
    expect(isUuid(newUuid().subarray(0, 15))).toBe(false);
    expect(() => uuidBytes('not-a-uuid')).toThrow('is not a UUID');
  });
});

describe("an executor's environment", () => {
  const variables = {
    MESOS_FRAMEWORK_ID: 'F',
    MESOS_EXECUTOR_ID: 'E',
    MESOS_SLAVE_ID: 'A',
    MESOS_AGENT_ENDPOINT: '10.0.0.1:5051',
    MESOS_DIRECTORY: '/var/lib/mesos/sandbox',
  };

  test('what an agent leaves out has its default', () => {
    expect(readExecutorEnvironment(variables)).toEqual({
      frameworkId: 'F',
      executorId: 'E',
      agentId: 'A',
      agentUrl: 'http://10.0.0.1:5051',
      sandbox: '/var/lib/mesos/sandbox',
      checkpoint: false,
      recoveryTimeoutMs: 900_000,
      subscriptionBackoffMaxMs: 2000,
      shutdownGraceMs: 5000,
    });
  });

  test('TLS, the token, the socket and the sandbox inside a container are taken', () => {
    const more = {
      ...variables,
      LIBPROCESS_SSL_ENABLED: 'true',
      MESOS_EXECUTOR_AUTHENTICATION_TOKEN: 'jwt',
      MESOS_DOMAIN_SOCKET: '/run/agent.sock',
      MESOS_SANDBOX: '/mnt/mesos/sandbox',
    };
    expect(readExecutorEnvironment(more)).toMatchObject({
      // There is no TLS on the socket.
      agentUrl: 'http://10.0.0.1:5051',
      authenticationToken: 'jwt',
      domainSocket: '/run/agent.sock',
      sandbox: '/mnt/mesos/sandbox',
    });
    expect(readExecutorEnvironment({ ...variables, SSL_ENABLED: '1' })).toMatchObject({
      agentUrl: 'https://10.0.0.1:5051',
      tls: { enabled: true, verify: true },
    });
  });

  test.each([
    [{}, undefined],
    [{ LIBPROCESS_SSL_ENABLED: '0', SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' }, undefined],
    [{ LIBPROCESS_SSL_CA_FILE: '/ca' }, { enabled: false, verify: true, caFile: '/ca' }],
    [
      { LIBPROCESS_SSL_ENABLED: 'true', LIBPROCESS_SSL_VERIFY_SERVER_CERT: 'false' },
      { enabled: true, verify: false },
    ],
    [
      {
        SSL_ENABLED: '1',
        LIBPROCESS_SSL_VERIFY_CERT: '0',
        LIBPROCESS_SSL_CERT_FILE: '/cert',
        LIBPROCESS_SSL_KEY_FILE: '/key',
      },
      { enabled: true, verify: false, certFile: '/cert', keyFile: '/key' },
    ],
  ])('%j is what libprocess says of TLS', (given, expected) => {
    expect(readMesosTls(given)).toEqual(expected);
  });

  test('what is missing or malformed is named', () => {
    expect(() => readExecutorEnvironment({ ...variables, MESOS_SLAVE_ID: '' })).toThrow(
      'MESOS_SLAVE_ID is not set',
    );
    expect(() => readExecutorEnvironment({ ...variables, MESOS_RECOVERY_TIMEOUT: 'soon' })).toThrow(
      'MESOS_RECOVERY_TIMEOUT is not a Mesos duration: soon',
    );
  });
});

describe('RecordIO', () => {
  test('a record has its length in bytes before it', () => {
    expect(encodeRecord(Buffer.from('é')).toString()).toBe('2\né');
    expect(encodeRecord(Buffer.alloc(0)).toString()).toBe('0\n');
  });

  test.each([
    ['<html>', "a record's length has the byte 0x3c in it"],
    ['12\r\n', "a record's length has the byte 0x0d in it"],
    ['\n', 'a record has no length'],
    ['123456789012345678901', 'more than 20 digits'],
    ['101\n', 'a record of 101 bytes is longer than the limit of 100'],
  ])('%j is an error, and so is everything after it', (text, message) => {
    const decoder = new RecordDecoder(100);
    expect(() => decoder.push(Buffer.from(text))).toThrow(message);
    expect(() => decoder.push(encodeRecord(Buffer.from('fine')))).toThrow(message);
    expect(() => decoder.end()).toThrow(message);
  });

  test('a record much longer than its pieces is put together', () => {
    const record = Buffer.from(Array.from({ length: 1_000_000 }, (_, at) => (at * 31) % 251));
    const stream = Buffer.concat([encodeRecord(record), encodeRecord(Buffer.from('next'))]);
    const decoder = new RecordDecoder();
    const records: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 999)
      records.push(...decoder.push(stream.subarray(at, at + 999)));
    expect(records.map((bytes) => bytes.length)).toEqual([record.length, 4]);
    expect(records[0]?.equals(record)).toBe(true);
  });

  test('a header that promises much takes no memory before the bytes come', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 20 }, () => new RecordDecoder());
    for (const decoder of decoders) decoder.push(Buffer.from('67108864\nx'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 1024 * 1024);
  });
});
