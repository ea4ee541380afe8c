import { expect, test } from '@jest/globals';
import { parsePairs, pathOf } from '../../src/cli/definition.ts';
import { table } from '../../src/cli/output.ts';
import { seconds } from '../../src/cli/wait.ts';
import { isCliError } from '../support/cli-errors.ts';

test('an id becomes a path with one slash before each part, and nothing of it is taken for a query', () => {
  expect(pathOf('web')).toBe('/web');
  expect(pathOf('/shop//web/')).toBe('/shop/web');
  expect(pathOf('/a?b=c#d/e f')).toBe('/a%3Fb%3Dc%23d/e%20f');
});

test('an id without a name is wrong usage', async () => {
  const message = await isCliError(
    Promise.resolve().then(() => pathOf('//')),
    2,
  );
  expect(message).toContain("'//'");
});

test('a pair is divided at its first equals sign; its value may be empty', () => {
  expect(parsePairs(['A=1', 'B=x=y', 'C='])).toEqual({ A: '1', B: 'x=y', C: '' });
});

test.each(['A', '=1', ''])('the pair %j is wrong usage', async (pair) => {
  const message = await isCliError(
    Promise.resolve().then(() => parsePairs([pair])),
    2,
  );
  expect(message).toBe(`'${pair}' is not NAME=value`);
});

test('columns of a table are aligned, what is missing is a dash, and no line ends in blanks', () => {
  expect(
    table(
      ['NAME', 'COUNT'],
      [
        ['long name', 0],
        ['b', undefined],
        [null, false],
      ],
      'none',
    ).split('\n'),
  ).toEqual(['NAME       COUNT', 'long name  0', 'b          -', '-          false']);
  expect(table(['NAME'], [], 'none of it')).toBe('none of it');
});

test('a table is wrapped within a width: the widest columns give way, between words or within long ones', () => {
  const path = '/var/run/somewhere/deep/below/db.sock';
  const rows = [
    ['one', `no answer at ${path} within 5 s`, 'start it, or say where it is instead'],
    ['two', 'yes', ''],
  ];
  for (const width of [60, 80, 120]) {
    const lines = table(['CHECK', 'FOUND', 'WHAT TO DO'], rows, 'none', width).split('\n');
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    expect(lines[1]).toMatch(/^one +no answer at .*start it/);
    expect(lines.at(-1)).toMatch(/^two +yes$/);
    const found = lines.slice(1, -1).map((line) => line.slice(7, lines[0]!.indexOf('WHAT')).trim());
    expect(found.join('')).toContain(path);
  }
  expect(table(['CHECK', 'FOUND', 'WHAT TO DO'], rows, 'none', 500).split('\n')).toHaveLength(3);
});

test('a time to wait is a number of seconds above 0', () => {
  expect(seconds('1.5')).toBe(1.5);
  for (const wrong of ['soon', '0', '-1', '']) expect(() => seconds(wrong)).toThrow('above 0');
});
