import type { Constraint, ConstraintOperator } from '../../../src/model/app.ts';
import { fullMatcher } from '../../../src/model/full-match.ts';
import type { Details } from '../problems.ts';

const operators: ReadonlySet<string> = new Set([
  'UNIQUE',
  'CLUSTER',
  'GROUP_BY',
  'LIKE',
  'UNLIKE',
  'MAX_PER',
  'IS',
]);

/** `[["hostname","UNIQUE"], …]` → constraints; problems are added by index, in Marathon's words. */
export function parseConstraints(list: readonly (readonly string[])[], details: Details): Constraint[] {
  return list.flatMap((parts, index) => {
    const path = `/constraints(${index})`;
    const [field, operatorText, value] = parts;
    if (field === undefined || operatorText === undefined || parts.length > 3) {
      details.add(path, 'Each constraint must have either 2 or 3 fields');
      return [];
    }
    const operator = operatorText.toUpperCase();
    if (!isOperator(operator)) {
      details.add(
        path,
        'operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS',
      );
      return [];
    }
    const problem = field === '' ? 'missing field for constraint declaration' : valueProblem(operator, value);
    if (problem !== undefined) {
      details.add(path, problem);
      return [];
    }
    return [{ field, operator, ...(value === undefined ? {} : { value }) }];
  });
}

function isOperator(text: string): text is ConstraintOperator {
  return operators.has(text);
}

function valueProblem(operator: ConstraintOperator, value: string | undefined): string | undefined {
  switch (operator) {
    case 'UNIQUE':
      return value === undefined || value === '' ? undefined : 'UNIQUE does not accept a value';
    case 'MAX_PER':
      return isCount(value) ? undefined : 'MAX_PER requires an integer value';
    case 'GROUP_BY':
      return value === undefined || value === '' || isCount(value)
        ? undefined
        : 'GROUP BY must define an integer value or else no value at all';
    case 'LIKE':
    case 'UNLIKE':
      if (value === undefined || value === '')
        return 'LIKE and UNLIKE require a non-empty, regular expression value';
      return fullMatcher(value) !== undefined ? undefined : `'${value}' is not a valid regular expression`;
    case 'IS':
      return value !== undefined && /^[a-zA-Z0-9_/.-]*$/.test(value)
        ? undefined
        : 'IS only supports Mesos text and float values (a-z, A-Z, 0-9, _ / . -)';
    case 'CLUSTER':
      return undefined;
  }
}

const isCount = (value: string | undefined): boolean => value !== undefined && /^[1-9][0-9]*$/.test(value);
