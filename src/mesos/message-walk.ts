import { PatchpanelError } from '../runtime/errors.ts';
import type { FieldKind, FieldSchema, MessageSchema } from './message-schema.ts';

/** The kinds of fields that hold no message. */
export type ScalarKind = Exclude<FieldKind, { kind: 'message' }>;

/** What a walk does with what it meets. */
export interface WalkRules {
  /**
   * The converted value; undefined drops the field, as proto2 does with enum values that it does not know.
   * @throws PatchpanelError through `refuse`
   */
  readonly scalar: (kind: ScalarKind, value: unknown, path: Path) => unknown;
  /** Whether a property that the schema does not have is an error (ours) or skipped (theirs). */
  readonly refuseUnknown: boolean;
}

/** Where in the message the walk is: cheap to extend, turned into text only for an error. */
export interface Path {
  readonly parent: Path | undefined;
  readonly step: string | number;
}

/** An error with code `invalid` that names the place, `Call.accept.operations[0].launch`. */
export function refuse(path: Path, problem: string): PatchpanelError {
  return new PatchpanelError('invalid', `${textOf(path)} ${problem}`);
}

/**
 * Copies a message field by field by the schema. Fields that are null, undefined or empty lists are left out, so
 * every form of a message decodes to the same object.
 * @throws PatchpanelError `invalid` for a missing required field or a value of the wrong type
 */
export function walkMessage(schema: MessageSchema, value: unknown, rules: WalkRules, path: Path): object {
  if (!isRecord(value)) throw refuse(path, `must be a message (${schema.name}), not ${describe(value)}`);
  const result: Record<string, unknown> = {};
  for (const field of schema.fields) {
    const own = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
    const converted = own === undefined || own === null ? undefined : walkField(field, own, rules, path);
    if (converted !== undefined) result[field.name] = converted;
    else if (field.rule === 'required') throw refuse({ parent: path, step: field.name }, 'is required');
  }
  if (rules.refuseUnknown) refuseUnknownFields(schema, value, path);
  return result;
}

function walkField(field: FieldSchema, value: unknown, rules: WalkRules, parent: Path): unknown {
  const path: Path = { parent, step: field.name };
  if (field.rule !== 'repeated') return walkValue(field.type, value, rules, path);
  if (!Array.isArray(value)) throw refuse(path, `must be a list, not ${describe(value)}`);
  const items = value
    .map((item: unknown, index) => walkValue(field.type, item, rules, { parent: path, step: index }))
    .filter((item) => item !== undefined);
  return items.length === 0 ? undefined : items;
}

function walkValue(kind: FieldKind, value: unknown, rules: WalkRules, path: Path): unknown {
  return kind.kind === 'message'
    ? walkMessage(kind.schema, value, rules, path)
    : rules.scalar(kind, value, path);
}

function refuseUnknownFields(schema: MessageSchema, value: Record<string, unknown>, path: Path): void {
  const unknown = Object.keys(value).find((key) => value[key] !== undefined && !schema.fieldNames.has(key));
  if (unknown !== undefined)
    throw refuse({ parent: path, step: unknown }, `is not a field of ${schema.name}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a wrong value is, without its content: it may be a secret. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

function textOf(path: Path): string {
  const step = typeof path.step === 'number' ? `[${path.step}]` : path.step;
  if (path.parent === undefined) return step;
  return `${textOf(path.parent)}${typeof path.step === 'number' ? '' : '.'}${step}`;
}
