import { readFileSync } from 'node:fs';
import { ask } from './ask.ts';
import type { Question } from './question.ts';

/**
 * A program of its own, since Node cannot enter a namespace by itself: it is started in the one of a container, reads
 * a Question, answers it and ends.
 */
const question = JSON.parse(readFileSync(0, 'utf8')) as Question;
const answered = ask(question, () => process.stdout.write('\n'));
void answered.then((finding) => process.stdout.write(JSON.stringify(finding), () => process.exit(0)));
