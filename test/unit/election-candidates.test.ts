import { expect, test } from '@jest/globals';
import {
  decodeCandidate,
  encodeCandidate,
  inOrder,
  sameCandidate,
} from '../../scheduler/election/candidates.ts';

test('the candidate whose node is the oldest is first, whatever the names begin with', () => {
  expect(inOrder(['ffff-0000000010', 'aaaa-0000000011', '0000-0000000009', 'lock'])).toEqual([
    '0000-0000000009',
    'ffff-0000000010',
    'aaaa-0000000011',
  ]);
});

test('a candidate is read as it was written; somebody unknown is nobody', () => {
  const candidate = { id: 'a:8080', url: 'http://a:8080' };
  expect(decodeCandidate(encodeCandidate(candidate))).toEqual(candidate);
  const known = { ...candidate, forwardKey: 'k' };
  expect(decodeCandidate(encodeCandidate(known))).toEqual(known);
  expect(decodeCandidate(Buffer.from('a:8080'))).toBeUndefined();
  expect(decodeCandidate(Buffer.from('{"id":"a","url":"file:///etc"}'))).toBeUndefined();
});

test('a scheduler that was started again at its address is another one: it has another key', () => {
  const candidate = { id: 'a:8080', url: 'http://a:8080', forwardKey: 'k' };
  expect(sameCandidate(candidate, { ...candidate })).toBe(true);
  expect(sameCandidate(candidate, { ...candidate, forwardKey: 'l' })).toBe(false);
  expect(sameCandidate(candidate, { ...candidate, url: 'http://b:8080' })).toBe(false);
  expect(sameCandidate(candidate, undefined)).toBe(false);
  expect(sameCandidate(undefined, undefined)).toBe(true);
});
