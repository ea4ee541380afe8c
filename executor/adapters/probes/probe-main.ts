import { readFileSync } from 'node:fs';
import { ask } from './ask.ts';
import type { Question } from './question.ts';

/**
 * A program of its own, since Node cannot enter a namespace by itself: it is started in the one of a container, reads
 * a Question, writes a ProbeOutcome and ends.
 */
const question = JSON.parse(readFileSync(0, 'utf8')) as Question;
void ask(question).then((outcome) => process.stdout.write(JSON.stringify(outcome), () => process.exit(0)));
