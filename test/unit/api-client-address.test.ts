import { expect, test } from '@jest/globals';
import { vouchedAddress, vouchFor } from '../../scheduler/api/security/client-address.ts';

test('an address is believed when somebody vouches for it who has the key, and only then', () => {
  const header = vouchFor('2001:db8::7', 'key');
  expect(vouchedAddress(header, 'key')).toBe('2001:db8::7');
  expect(vouchedAddress(header, 'other key')).toBeUndefined();
  expect(vouchedAddress(header.replace('::7', '::8'), 'key')).toBeUndefined();
  expect(header).not.toContain('key');
  for (const nonsense of [undefined, '', ' ', '192.0.2.1', '192.0.2.1 forged', [header, header]])
    expect(vouchedAddress(nonsense, 'key')).toBeUndefined();
});
