import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { render } from '../../proto/generate.mjs';

test.each(render())('$file is what the generator writes', ({ file, text }) => {
  expect(readFileSync(file, 'utf8')).toBe(text);
});
