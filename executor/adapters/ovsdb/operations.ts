import { PatchpanelError } from '../../../src/runtime/errors.ts';
import type { TableName } from './rows.ts';
import { uuidRef, type OvsdbValue } from './values.ts';

type Columns = Readonly<Record<string, OvsdbValue>>;
type Condition = readonly [column: string, operator: '==' | '!=' | 'includes', value: OvsdbValue];
type Mutation = readonly [column: string, mutator: 'insert' | 'delete' | '+=', value: OvsdbValue];

/** One operation of a transaction (RFC 7047 §5.2): those that we use. */
export type Operation =
  | { readonly op: 'insert'; readonly table: TableName; readonly row: Columns; readonly 'uuid-name': string }
  | {
      readonly op: 'update';
      readonly table: TableName;
      readonly where: readonly Condition[];
      readonly row: Columns;
    }
  | {
      readonly op: 'mutate';
      readonly table: TableName;
      readonly where: readonly Condition[];
      readonly mutations: readonly Mutation[];
    }
  | {
      readonly op: 'select';
      readonly table: TableName;
      readonly where: readonly Condition[];
      readonly columns: readonly string[];
    }
  | { readonly op: 'assert'; readonly lock: string };

/** The condition that selects one row. */
export const isRow = (uuid: string): readonly Condition[] => [['_uuid', '==', uuidRef(uuid)]];

/** What one operation gave back; the fields depend on its kind. */
export type OperationResult = Readonly<Record<string, unknown>>;

/**
 * The results of a transaction, one for each operation.
 * @throws PatchpanelError `external` with the server's words when any of them failed: nothing is committed then
 */
export function transactionResults(
  reply: unknown,
  operations: readonly Operation[],
): readonly OperationResult[] {
  if (!Array.isArray(reply))
    throw new PatchpanelError('protocol', 'ovsdb-server answered no list of results');
  const results = reply as (OperationResult | null)[];
  const failed = results.findIndex((result) => result !== null && 'error' in result);
  if (failed >= 0) throw refusal(results[failed]!, operations[failed]);
  return results.map((result) => result ?? {});
}

function refusal(result: OperationResult, operation: Operation | undefined): PatchpanelError {
  const what = operation === undefined ? 'the commit' : describe(operation);
  const words = [result['error'], result['details']].filter((part) => typeof part === 'string').join(': ');
  return new PatchpanelError('external', `ovsdb-server refused ${what}: ${words}`, {
    context: { error: words },
  });
}

const describe = (operation: Operation) =>
  operation.op === 'assert' ? `assert ${operation.lock}` : `${operation.op} in ${operation.table}`;
