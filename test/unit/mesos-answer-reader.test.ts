import { describe, expect, test } from '@jest/globals';
import { AnswerReader } from '../../src/mesos/answer-reader.ts';

const read = (text: string, reader = new AnswerReader()) => reader.push(Buffer.from(text, 'latin1'));

describe('answers on one connection', () => {
  test('come in order, whatever tells their lengths', () => {
    const answers = read(
      'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n' +
        'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\ncontent-length:  9 \r\n\r\nno stream' +
        'HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nNo \r\n6;x=y\r\nleader\r\n0\r\nT: 1\r\n\r\n' +
        'HTTP/1.1 204 No Content\r\n\r\n' +
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(answers).toEqual([
      { status: 202, message: '' },
      { status: 400, message: 'no stream' },
      { status: 503, message: 'No leader' },
      { status: 204, message: '' },
      { status: 200, message: 'ok' },
    ]);
  });

  test('an interim answer is not one', () => {
    expect(read('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n')).toEqual([
      { status: 202, message: '' },
    ]);
  });

  test('one without a length ends with the connection', () => {
    const reader = new AnswerReader();
    expect(read('HTTP/1.1 502 Bad Gateway\r\n\r\nthe proxy is ', reader)).toEqual([]);
    expect(read('broken', reader)).toEqual([]);
    expect(reader.end()).toEqual({ status: 502, message: 'the proxy is broken' });
  });

  test('one that ends too early is none', () => {
    const reader = new AnswerReader();
    expect(read('HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\nno', reader)).toEqual([]);
    expect(reader.end()).toBeUndefined();
  });

  test.each([
    ['HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', true],
    ['HTTP/1.0 202 Accepted\r\nContent-Length: 0\r\n\r\n', true],
    ['HTTP/1.1 202 Accepted\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n', false],
  ])('whether another may follow is said: %j', (text, closing) => {
    const reader = new AnswerReader();
    expect(read(text, reader)).toHaveLength(1);
    expect(reader.closing).toBe(closing);
  });

  test('of a long text 64 KiB are kept', () => {
    const text = 'x'.repeat(100_000);
    const [answer] = read(`HTTP/1.1 500 Error\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    expect(answer?.message).toHaveLength(64 * 1024);
  });

  test.each([
    ['SSH-2.0-OpenSSH\r\n\r\n', 'something that is no answer'],
    ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'the length -1'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'the transfer coding gzip, chunked'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'a chunk without a size'],
    [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
      'a chunk that is longer than it says',
    ],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`, 'a head that is too long'],
    [
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(2_000)}`,
      'a line that is too long',
    ],
  ])('%j is refused', (text, why) => {
    expect(() => read(text)).toThrow(why);
  });
});
