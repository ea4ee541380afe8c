import { HttpProblem } from '../problems.ts';

export type LabelMatcher = (labels: Readonly<Record<string, string>>) => boolean;

const word = /(?:[-A-Za-z0-9_.]|\\.)+/y;
const blank = /\s*/y;
const equality = /==|!=/y;
const membership = /(?:notin|in)(?=\s*\()/y;

/**
 * Marathon's label selectors: terms joined by commas (AND) of `key`, `key==v`, `key!=v`, `key in (a,b)`,
 * `key notin (a,b)`; `!=` and `notin` want the label to exist. Any character but letters, digits, `-`, `_` and `.`
 * needs a backslash before it.
 * @throws HttpProblem 422 that tells where the text cannot be read
 */
export function parseLabelSelector(text: string): LabelMatcher {
  const reader = new Reader(text);
  const matchers = [readTerm(reader)];
  while (reader.take(/,/y) !== undefined) matchers.push(readTerm(reader));
  reader.expectEnd();
  return (labels) => matchers.every((matches) => matches(labels));
}

function readTerm(reader: Reader): LabelMatcher {
  const key = reader.word('the name of a label');
  const operator = reader.take(equality) ?? reader.take(membership);
  if (operator === undefined) return (labels) => Object.hasOwn(labels, key);
  const values = new Set(operator === '==' || operator === '!=' ? [reader.word('a value')] : readSet(reader));
  const wanted = operator === '==' || operator === 'in';
  return (labels) => Object.hasOwn(labels, key) && values.has(labels[key] ?? '') === wanted;
}

function readSet(reader: Reader): string[] {
  reader.expect(/\(/y, '(');
  const values = [reader.word('a value')];
  while (reader.take(/,/y) !== undefined) values.push(reader.word('a value'));
  reader.expect(/\)/y, ')');
  return values;
}

/** Takes a text apart from left to right; blanks between its pieces mean nothing. */
class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next piece, when it is of this form; the pattern is sticky. */
  take(pattern: RegExp): string | undefined {
    this.#skip();
    pattern.lastIndex = this.#position;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#position += found.length;
    return found;
  }

  expect(pattern: RegExp, what: string): string {
    return this.take(pattern) ?? this.#fail(what);
  }

  /** A word without its backslashes. */
  word(what: string): string {
    return this.expect(word, what).replaceAll(/\\(.)/gs, '$1');
  }

  expectEnd(): void {
    this.#skip();
    if (this.#position < this.#text.length) this.#fail('a comma or the end');
  }

  #skip(): void {
    blank.lastIndex = this.#position;
    this.#position += blank.exec(this.#text)?.[0].length ?? 0;
  }

  #fail(expected: string): never {
    throw new HttpProblem(
      422,
      `Can not parse label selector '${this.#text}': expected ${expected} at character ${this.#position + 1}`,
    );
  }
}
