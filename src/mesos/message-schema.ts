import protobuf from 'protobufjs/light.js';

// Without this protobufjs turns 64-bit numbers into Long objects whenever a package named long is installed.
Object.assign(protobuf.util, { Long: null });
protobuf.configure();

/** What a field holds; an enum knows its names both ways. */
export type FieldKind =
  | { readonly kind: 'message'; readonly schema: MessageSchema }
  | {
      readonly kind: 'enum';
      readonly numbers: ReadonlyMap<string, number>;
      readonly names: ReadonlyMap<number, string>;
    }
  | { readonly kind: 'double' | 'bool' | 'string' | 'bytes' }
  /** Bounds are inclusive; 64-bit numbers are as exact as a double is. */
  | { readonly kind: 'integer'; readonly min: number; readonly max: number };

export interface FieldSchema {
  readonly name: string;
  readonly rule: 'required' | 'optional' | 'repeated';
  readonly type: FieldKind;
}

/** A message type: its fields, and protobufjs's own type for the binary form. */
export interface MessageSchema {
  readonly name: string;
  readonly fields: readonly FieldSchema[];
  readonly fieldNames: ReadonlySet<string>;
  readonly binary: protobuf.Type;
}

const integerBounds: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63],
  uint64: [0, 2 ** 64],
};

/**
 * Reads the generated descriptor and gives the schema of each type in `names` (generated name → protobuf name).
 * @throws Error when the descriptor uses what the generator does not allow (maps, oneofs, groups)
 */
export function readSchemas(
  descriptor: protobuf.INamespace,
  names: Readonly<Record<string, string>>,
): ReadonlyMap<string, MessageSchema> {
  const root = protobuf.Root.fromJSON(descriptor).resolveAll();
  const known = new Map<protobuf.Type, MessageSchema>();
  return new Map(
    Object.entries(names).map(([name, full]) => [name, readMessage(root.lookupType(full), known)]),
  );
}

function readMessage(type: protobuf.Type, known: Map<protobuf.Type, MessageSchema>): MessageSchema {
  const seen = known.get(type);
  if (seen !== undefined) return seen;
  const fields: FieldSchema[] = [];
  const schema: MessageSchema = {
    name: type.name,
    fields,
    fieldNames: new Set(type.fieldsArray.map((field) => field.name)),
    binary: type,
  };
  // Known before its fields are read: a message may hold itself.
  known.set(type, schema);
  for (const field of type.fieldsArray) {
    fields.push({ name: field.name, rule: ruleOf(field), type: readKind(field, known) });
  }
  return schema;
}

function ruleOf(field: protobuf.Field): FieldSchema['rule'] {
  if (field.repeated) return 'repeated';
  return field.required ? 'required' : 'optional';
}

function readKind(field: protobuf.Field, known: Map<protobuf.Type, MessageSchema>): FieldKind {
  const resolved = field.resolvedType;
  if (resolved instanceof protobuf.Type) return { kind: 'message', schema: readMessage(resolved, known) };
  if (resolved instanceof protobuf.Enum) {
    const pairs = Object.entries(resolved.values);
    return {
      kind: 'enum',
      numbers: new Map(pairs),
      names: new Map(pairs.map(([name, value]) => [value, name])),
    };
  }
  const bounds = integerBounds[field.type];
  if (bounds !== undefined) return { kind: 'integer', min: bounds[0], max: bounds[1] };
  switch (field.type) {
    case 'double':
    case 'bool':
    case 'string':
    case 'bytes':
      return { kind: field.type };
    default:
      throw new Error(`${field.fullName}: type ${field.type} is not supported`);
  }
}
