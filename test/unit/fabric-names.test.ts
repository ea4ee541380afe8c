import { expect, test } from '@jest/globals';
import { reverseZones } from '../../src/fabric/reverse-zones.ts';
import { nextEpoch, portRange } from '../../src/fabric/incarnations.ts';
import {
  appName,
  containerHostname,
  fullName,
  isDnsName,
  nameProblem,
  slotName,
} from '../../src/fabric/names.ts';
import { appId } from '../../src/model/ids.ts';

test('a slot is named by its index and its path reversed', () => {
  expect(slotName(appId('/web'), 0)).toBe('0.web');
  expect(slotName(appId('/shop/db'), 2)).toBe('2.db.shop');
  expect(appName(appId('/shop/db'))).toBe('db.shop');
  expect(fullName('0.web', 'patchpanel.internal')).toBe('0.web.patchpanel.internal');
});

test('the host name in a container is one label', () => {
  expect(containerHostname(appId('/web'), 0)).toBe('0-web');
  expect(containerHostname(appId('/shop/db'), 2)).toBe('2-db-shop');
  expect(containerHostname(appId('/a.b'), 1)).toBe('1-a-b');
});

test('a host name that would be too long is cut and stays distinct', () => {
  const long = `/${'a'.repeat(60)}/${'b'.repeat(60)}`;
  const one = containerHostname(appId(`${long}/x`), 0);
  const other = containerHostname(appId(`${long}/y`), 0);
  expect([one.length <= 63, other.length <= 63, one === other]).toEqual([true, true, false]);
  expect(one).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])$/);
});

test('what DNS would refuse as a name is explained', () => {
  expect(nameProblem(appId('/shop/db'), 'patchpanel.internal')).toBeUndefined();
  expect(nameProblem(appId(`/${'a'.repeat(64)}`), 'x')).toContain('is not a DNS label');
  expect(nameProblem(appId('/shop/-db'), 'x')).toContain('"-db" in /shop/-db');
  const deep = `/${Array.from({ length: 5 }, () => 'a'.repeat(60)).join('/')}`;
  expect(nameProblem(appId(deep), 'patchpanel.internal')).toContain('DNS allows 253');
});

test('even and odd epochs have the two last quarters of the port space', () => {
  expect(portRange(4)).toEqual({ first: 32_768, last: 49_151, match: '0x8000/0xc000' });
  expect(portRange(5)).toEqual({ first: 49_152, last: 65_535, match: '0xc000/0xc000' });
});

test('every port of a range matches its mask and no port outside does', () => {
  for (const { first, last, match } of [portRange(0), portRange(1)]) {
    const [value, mask] = match.split('/').map(Number);
    for (let port = 0; port < 65_536; port++) {
      const inside = port >= first && port <= last;
      if (((port & (mask ?? 0)) === value) !== inside) throw new Error(`port ${port} of ${match}`);
    }
  }
});

test('the next epoch never shares the port range of the active incarnation', () => {
  expect(nextEpoch(0, undefined)).toBe(1);
  expect(nextEpoch(3, 3)).toBe(4);
  expect(nextEpoch(4, 3)).toBe(6);
  expect(nextEpoch(4, undefined)).toBe(5);
});

test('the reverse zones of a subnet cover its addresses at whole bytes', () => {
  expect(reverseZones('10.0.0.0/8')).toEqual(['10.in-addr.arpa']);
  expect(reverseZones('10.32.0.0/16')).toEqual(['32.10.in-addr.arpa']);
  expect(reverseZones('10.32.4.0/23')).toEqual(['4.32.10.in-addr.arpa', '5.32.10.in-addr.arpa']);
  expect(reverseZones('10.32.4.8/29')).toHaveLength(8);
  expect(reverseZones('10.32.4.8/29')[7]).toBe('15.4.32.10.in-addr.arpa');
});

test('a name of DNS has labels of letters, digits and hyphens', () => {
  for (const good of ['patchpanel.internal', 'a', '0.web.x-y']) expect(isDnsName(good)).toBe(true);
  for (const bad of [
    '',
    'a..b',
    '-a',
    'a_b',
    'A',
    'a\nb',
    'a.',
    `${'a'.repeat(64)}.b`,
    'a.'.repeat(127) + 'ab',
  ])
    expect([bad, isDnsName(bad)]).toEqual([bad, false]);
});
