import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLogger, type LogLevel } from '../../src/runtime/logger.ts';

function loggerTo(level: LogLevel) {
  const stream = new PassThrough({ encoding: 'utf8' });
  const log = createLogger('test', level, stream);
  const lines = (): { level: string; message: string; host?: string }[] =>
    String(stream.read() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { log, lines };
}

/** Fields that tell whether somebody looked at them. */
function watched() {
  let looks = 0;
  const fields = {
    get host() {
      looks += 1;
      return 'h1';
    },
  };
  return { fields, looks: () => looks };
}

test('a line that nobody wants is not even made', () => {
  const { log, lines } = loggerTo('warn');
  const { fields, looks } = watched();
  log.info('unwanted', fields);
  log.child({ part: 'x' }).debug('unwanted', fields);
  expect(looks()).toBe(0);
  log.warn('wanted', fields);
  expect(lines()).toMatchObject([{ level: 'warn', message: 'wanted', host: 'h1' }]);
});

test('another level counts at once, for loggers made before it too', () => {
  const { log, lines } = loggerTo('warn');
  const child = log.child({ part: 'x' });
  log.setLevel('debug');
  child.debug('now wanted');
  expect(child.debugEnabled).toBe(true);
  expect(lines()).toMatchObject([{ level: 'debug', message: 'now wanted', part: 'x' }]);
  log.setLevel('silent');
  child.error('unwanted');
  expect(lines()).toEqual([]);
});
