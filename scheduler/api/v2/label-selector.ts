import { HttpProblem } from '../problems.ts';

export type LabelMatcher = (labels: Readonly<Record<string, string>>) => boolean;

const word = String.raw`(?:[-A-Za-z0-9_.]|\\.)+`;
const term = new RegExp(
  String.raw`^\s*(?:(${word})\s*(==|!=)\s*(${word})|(${word})\s+(in|notin)\s+\(([^)]*)\)|(${word}))\s*$`,
);

/**
 * Marathon's label selectors: terms joined by commas (AND) of `key`, `key==v`, `key!=v`, `key in (a,b)`,
 * `key notin (a,b)`; `!=` and `notin` want the label to exist.
 * @throws HttpProblem 422 when a term cannot be read
 */
export function parseLabelSelector(text: string): LabelMatcher {
  const matchers = text.split(/,(?![^(]*\))/).map(parseTerm);
  return (labels) => matchers.every((matches) => matches(labels));
}

function parseTerm(text: string): LabelMatcher {
  const parts = term.exec(text);
  if (parts === null) throw new HttpProblem(422, `Can not parse label selector '${text.trim()}'`);
  const [, equalKey, equalOperator, equalValue, setKey, setOperator, setValues, existsKey] =
    parts.map(unescaped);
  if (equalKey !== undefined) {
    return (labels) => equalKey in labels && (labels[equalKey] === equalValue) === (equalOperator === '==');
  }
  if (setKey !== undefined) {
    const values = new Set((setValues ?? '').split(',').map((value) => value.trim()));
    return (labels) => setKey in labels && values.has(labels[setKey] ?? '') === (setOperator === 'in');
  }
  return (labels) => existsKey !== undefined && existsKey in labels;
}

const unescaped = (text: string | undefined): string | undefined => text?.replaceAll(/\\(.)/g, '$1');
