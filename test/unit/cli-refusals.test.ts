import { expect, test } from '@jest/globals';
import { conflictText, refusalText } from '../../src/cli/refusals.ts';

test('a refusal names each field in words, with the code that programs know', () => {
  const details = [
    { path: '/instances', errors: ['error.min'] },
    { path: '/cpus', errors: ['error.expected.jsnumber', 'must not be fewer than 0.01'] },
  ];
  expect(refusalText({ message: 'Invalid JSON', details }, 422)).toBe(
    [
      'Invalid JSON',
      '  /instances: it is too small (error.min)',
      '  /cpus: it must be a number (error.expected.jsnumber); must not be fewer than 0.01',
    ].join('\n'),
  );
});

test('a refusal without a body, without details, with a text for details', () => {
  expect(refusalText(undefined, 503)).toBe('the scheduler answered 503');
  expect(refusalText({ message: "App '/x' does not exist" }, 404)).toBe("App '/x' does not exist");
  expect(refusalText({ message: 'Invalid JSON', details: 'at position 3' }, 400)).toBe(
    'Invalid JSON: at position 3',
  );
});

test('a conflict with a deployment tells how to go on; another one is an ordinary refusal', () => {
  const text = conflictText({ message: 'locked', deployments: [{ id: 'one' }, { id: 'two' }] });
  expect(text).toContain('a deployment is under way: one, two');
  expect(text).toContain('patchpanel deployment wait one');
  expect(conflictText({ message: 'the network is in use' })).toBe('the network is in use');
});
