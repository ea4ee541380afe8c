import { expect, test } from '@jest/globals';
import { searchPath } from '../../executor/core/search-path.ts';

test.each([
  [undefined, '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  ['', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  ['/opt/bin:/usr/bin:/bin', '/opt/bin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin'],
])('with PATH=%j programs are looked for in %s', (given, expected) => {
  expect(searchPath(given)).toBe(expected);
});
