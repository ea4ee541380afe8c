import { createInterface } from 'node:readline';
import { perform, type SpaceRequest } from './exchange.ts';

/**
 * A program that holds a network namespace for a self-test: one request a line in, one answer a line out. It ends with
 * its input, so a namespace never outlives the executor, however that ends.
 */
const lines = createInterface({ input: process.stdin });
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
lines.on('line', (line) => void perform(JSON.parse(line) as SpaceRequest).then(say));
lines.on('close', () => process.exit(0));
say({});
