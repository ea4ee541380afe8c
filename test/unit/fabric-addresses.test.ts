import { expect, test } from '@jest/globals';
import { addressPool } from '../../src/fabric/address-pool.ts';
import { allocateAddress, claimAddress } from '../../src/fabric/allocate.ts';
import { formatCidr, parseCidr, reservedFor, subnetsOverlap } from '../../src/fabric/cidr.ts';
import { formatIpv4, parseIpv4, parseIpv4Range, tryParseIpv4 } from '../../src/fabric/ipv4.ts';
import { isLocalUnicastMac, isMac, macOf } from '../../src/fabric/mac.ts';
import { endpointMtu } from '../../src/fabric/mtu.ts';
import { maxPinnedAddresses, parsePinnedAddresses, pinnedProblem } from '../../src/fabric/pinned.ts';

test('an address above 127.255.255.255 is a positive number and comes back as the same text', () => {
  expect(parseIpv4('255.255.255.254')).toBe(0xfffffffe);
  expect(formatIpv4(0xfffffffe)).toBe('255.255.255.254');
});

test.each([
  '',
  '10',
  '10.32.0',
  '10.32.0.',
  '.10.32.0',
  '10..0.1',
  '10.32.0.256',
  '10.32.0.01',
  '10.32.0.1.2',
  '10.32.0.1 ',
  '10.32.0.1\n',
  '1e1.0.0.1',
  '10.32.0.-1',
  '99999999999.0.0.1',
])('%j is not an address', (text) => {
  expect(tryParseIpv4(text)).toBeUndefined();
  expect(() => parseIpv4(text)).toThrow(`"${text}" is not an IPv4 address`);
});

test('a range includes both ends and refuses to run backwards', () => {
  expect(parseIpv4Range('10.0.0.1 - 10.0.0.3')).toEqual({ first: 0x0a000001, last: 0x0a000003 });
  expect(() => parseIpv4Range('10.0.0.3-10.0.0.1')).toThrow('ends before it begins');
});

test('a subnet knows its reserved addresses', () => {
  const subnet = parseCidr('10.32.0.0/16');
  const reserved = ['10.32.0.0', '10.32.0.1', '10.32.0.2', '10.32.0.3', '10.32.255.254', '10.32.255.255'].map(
    (ip) => reservedFor(subnet, parseIpv4(ip)),
  );
  expect(reserved).toEqual(['network', 'gateway', 'service', undefined, undefined, 'broadcast']);
  expect(formatCidr(subnet)).toBe('10.32.0.0/16');
});

test.each([
  ['10.32.0.0', 'is not a subnet'],
  ['10.32.0/16', 'is not a subnet'],
  ['10.32.0.0/', 'is not a subnet'],
  ['10.32.0.0/1x', 'is not a subnet'],
  ['10.32.0.0/30', 'prefix length of 8 to 29'],
  ['0.0.0.0/0', 'prefix length of 8 to 29'],
  ['10.32.4.1/16', 'did you mean 10.32.0.0/16?'],
])('the subnet %s is refused: %s', (text, message) => {
  expect(() => parseCidr(text)).toThrow(message);
});

test('subnets overlap when one lies in the other, in either order', () => {
  const wide = parseCidr('10.32.0.0/16');
  const inner = parseCidr('10.32.7.0/24');
  const other = parseCidr('10.33.0.0/16');
  expect([subnetsOverlap(wide, inner), subnetsOverlap(inner, wide), subnetsOverlap(wide, other)]).toEqual([
    true,
    true,
    false,
  ]);
});

test('the MAC is made of the low byte of the VNI and the address', () => {
  expect(macOf(7, '10.32.0.10')).toBe('0a:07:0a:20:00:0a');
  expect(macOf(0x1ff, '255.1.2.3')).toBe('0a:ff:ff:01:02:03');
});

test('only local unicast MACs in lower case pass', () => {
  expect(isLocalUnicastMac('0a:07:0a:20:00:0a')).toBe(true);
  expect(isLocalUnicastMac('0b:07:0a:20:00:0a')).toBe(false);
  expect(isLocalUnicastMac('08:07:0a:20:00:0a')).toBe(false);
  expect(isMac('0A:07:0a:20:00:0a')).toBe(false);
});

test('the first address of an empty network is .3, and the next call goes on from the cursor', () => {
  const pool = addressPool({ cidr: '10.32.0.0/16' });
  const first = allocateAddress(pool, new Set());
  expect(first).toEqual({ kind: 'address', ip: '10.32.0.3', cursor: parseIpv4('10.32.0.4') });
  expect(allocateAddress(pool, new Set(['10.32.0.4']), parseIpv4('10.32.0.4'))).toMatchObject({
    ip: '10.32.0.5',
  });
});

test('allocation wraps round to what was freed and says when nothing is left', () => {
  const pool = addressPool({ cidr: '10.0.0.0/29', range: '10.0.0.4-10.0.0.7' });
  expect(allocateAddress(pool, new Set(['10.0.0.6']), parseIpv4('10.0.0.6'))).toMatchObject({
    ip: '10.0.0.4',
  });
  expect(allocateAddress(pool, new Set(['10.0.0.4', '10.0.0.5', '10.0.0.6']))).toMatchObject({
    kind: 'refused',
    reason: 'exhausted',
    problem: 'no address is free between 10.0.0.4 and 10.0.0.7',
  });
});

test('a claim may go outside the range but not outside the subnet, nor to what is reserved or taken', () => {
  const pool = addressPool({ cidr: '10.32.0.0/16', range: '10.32.1.0-10.32.1.255' });
  const taken = new Set(['10.32.0.9']);
  expect(claimAddress(pool, taken, '10.32.0.10')).toMatchObject({ kind: 'address', ip: '10.32.0.10' });
  expect(claimAddress(pool, taken, '10.32.0.9')).toMatchObject({ reason: 'taken' });
  expect(claimAddress(pool, taken, '10.32.0.1')).toMatchObject({ reason: 'invalid' });
  expect(claimAddress(pool, taken, '10.33.0.1')).toMatchObject({ reason: 'invalid' });
  expect(claimAddress(pool, taken, '10.33.0')).toMatchObject({ reason: 'invalid' });
});

test('a range that leaves its subnet is refused', () => {
  expect(() => addressPool({ cidr: '10.32.0.0/16', range: '10.32.0.3-10.33.0.1' })).toThrow(
    'leaves the subnet',
  );
});

test('the label names single addresses, ranges and mixtures, in the order of the slots', () => {
  expect(parsePinnedAddresses('10.32.0.20, 10.32.0.10-10.32.0.12,10.32.0.5')).toEqual({
    kind: 'addresses',
    addresses: ['10.32.0.20', '10.32.0.10', '10.32.0.11', '10.32.0.12', '10.32.0.5'],
  });
});

test.each([
  ['', 'an address is missing'],
  ['10.32.0.5,', 'an address is missing'],
  ['10.32.0.5,web', '"web" is not an IPv4 address'],
  ['10.32.0.12-10.32.0.10', 'ends before it begins'],
  ['10.32.0.5,10.32.0.4-10.32.0.6', '10.32.0.5 is named twice'],
  ['0.0.0.0-255.255.255.255', `more than ${maxPinnedAddresses} addresses`],
])('the label %j is refused: %s', (label, message) => {
  expect(parsePinnedAddresses(label)).toEqual({ kind: 'invalid', problem: expect.stringContaining(message) });
});

test('a label may name a whole /16', () => {
  const parsed = parsePinnedAddresses('10.32.0.0-10.32.255.255');
  expect(parsed.kind === 'addresses' ? parsed.addresses.length : parsed.problem).toBe(maxPinnedAddresses);
});

test('a pinned address outside the network or reserved in it is explained', () => {
  const pool = addressPool({ cidr: '10.32.0.0/16' });
  expect(pinnedProblem('10.33.0.5', pool)).toBe("10.33.0.5 is outside the network's subnet 10.32.0.0/16");
  expect(pinnedProblem('10.32.0.2', pool)).toBe(
    '10.32.0.2 is reserved: it is the service address of 10.32.0.0/16',
  );
  expect(pinnedProblem('10.32.0.5', pool)).toBeUndefined();
});

test('the MTU of endpoints leaves room for the tunnel on the weakest underlay', () => {
  expect(endpointMtu([9000, 1500, 1600])).toBe(1450);
  expect(endpointMtu([])).toBe(1450);
  expect(endpointMtu([500])).toBe(576);
  expect(endpointMtu([65_535])).toBe(9000);
});
