import { toUSVString } from 'node:util';
import { isUint8Array } from 'node:util/types';
import type { INamespace } from 'protobufjs/light.js';
import { mesosDescriptor, mesosTypeNames, type MesosMessages } from '../../proto/mesos.gen.ts';
import { PatchpanelError, messageOf } from '../runtime/errors.ts';
import { readSchemas, type MessageSchema } from './message-schema.ts';
import { describe, refuse, walkMessage, type Path, type ScalarKind, type WalkRules } from './message-walk.ts';

/** How messages are written on the wire. */
export type Encoding = 'protobuf' | 'json';

/** The media type that Mesos wants, to the letter, in Content-Type and Accept. */
export const contentTypes: Readonly<Record<Encoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** The encoding of a Content-Type header as Mesos compares it (no parameters, case matters); undefined: neither. */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  if (contentType === contentTypes.protobuf) return 'protobuf';
  return contentType === contentTypes.json ? 'json' : undefined;
}

/**
 * Messages of one descriptor to bytes and back. In memory they are plain objects in the shape of the JSON form:
 * snake_case fields, enums as their names, 64-bit numbers as numbers, but bytes as Uint8Array.
 */
export interface Codec<Messages> {
  /**
   * @throws PatchpanelError `invalid` that names the field, when a required one is missing, a value has the wrong
   *   type or there is a field that the schema does not have
   */
  encode<Name extends keyof Messages>(name: Name, message: Messages[Name], encoding: Encoding): Buffer;
  /**
   * Fields and enum values that the schema does not know are left out, as are empty lists.
   * @throws PatchpanelError `protocol` when the bytes are no such message or a required field is missing
   */
  decode<Name extends keyof Messages>(name: Name, bytes: Uint8Array, encoding: Encoding): Messages[Name];
}

/** A codec for the messages of a generated descriptor. */
export function createCodec<Messages extends object>(
  descriptor: INamespace,
  typeNames: Readonly<Record<keyof Messages & string, string>>,
): Codec<Messages> {
  const schemas = readSchemas(descriptor, typeNames);
  const schemaOf = (name: keyof Messages): MessageSchema => {
    const schema = schemas.get(String(name));
    if (schema === undefined) throw new PatchpanelError('invalid', `no message is called ${String(name)}`);
    return schema;
  };
  return {
    encode: (name, message, encoding) => encode(schemaOf(name), message, encoding),
    decode: <Name extends keyof Messages>(name: Name, bytes: Uint8Array, encoding: Encoding) =>
      decode(schemaOf(name), bytes, encoding) as Messages[Name],
  };
}

/** The codec for everything that is said to and by Mesos. */
export const mesosCodec: Codec<MesosMessages> = createCodec<MesosMessages>(mesosDescriptor, mesosTypeNames);

function encode(schema: MessageSchema, message: unknown, encoding: Encoding): Buffer {
  const start: Path = { parent: undefined, step: schema.name };
  if (encoding === 'json') return Buffer.from(JSON.stringify(walkMessage(schema, message, toJson, start)));
  const written = schema.binary.encode(walkMessage(schema, message, toBinary, start)).finish();
  return Buffer.from(written.buffer, written.byteOffset, written.byteLength);
}

function decode(schema: MessageSchema, bytes: Uint8Array, encoding: Encoding): object {
  const start: Path = { parent: undefined, step: schema.name };
  try {
    if (encoding === 'protobuf') return walkMessage(schema, schema.binary.decode(bytes), fromBinary, start);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    return walkMessage(schema, JSON.parse(text), fromJson, start);
  } catch (error) {
    throw new PatchpanelError('protocol', `cannot read a ${schema.name} (${encoding}): ${messageOf(error)}`, {
      cause: error,
      context: { size: bytes.byteLength },
    });
  }
}

const toBinary: WalkRules = {
  refuseUnknown: true,
  scalar: (kind, value, path) => {
    if (kind.kind !== 'enum') return writableValue(kind, value, path);
    return kind.numbers.get(enumName(kind, value, path));
  },
};

const toJson: WalkRules = {
  refuseUnknown: true,
  scalar: (kind, value, path) => {
    if (kind.kind === 'enum') return enumName(kind, value, path);
    if (kind.kind === 'bytes') return Buffer.from(bytesOf(value, path)).toString('base64');
    return writableValue(kind, value, path);
  },
};

const fromBinary: WalkRules = {
  refuseUnknown: false,
  scalar: (kind, value, path) => {
    if (kind.kind === 'enum') return typeof value === 'number' ? kind.names.get(value) : undefined;
    // A copy: the decoder's view would keep the whole record in memory.
    if (kind.kind === 'bytes') return new Uint8Array(bytesOf(value, path));
    return plainValue(kind, value, path);
  },
};

const fromJson: WalkRules = {
  refuseUnknown: false,
  scalar: (kind, value, path) => {
    if (kind.kind === 'enum') return typeof value === 'string' && kind.numbers.has(value) ? value : undefined;
    if (kind.kind === 'bytes') {
      if (typeof value !== 'string') throw refuse(path, `must be base64, not ${describe(value)}`);
      return new Uint8Array(Buffer.from(value, 'base64'));
    }
    // Protobuf's own JSON form writes 64-bit numbers as strings.
    const numeric = (kind.kind === 'integer' || kind.kind === 'double') && typeof value === 'string';
    return plainValue(kind, numeric && value.trim() !== '' ? Number(value) : value, path);
  },
};

/** Half of a character, as where a text was cut, is none to Mesos: it would refuse the whole call. */
function writableValue(kind: Exclude<ScalarKind, { kind: 'enum' }>, value: unknown, path: Path): unknown {
  const plain = plainValue(kind, value, path);
  return typeof plain === 'string' ? toUSVString(plain) : plain;
}

function enumName(kind: ScalarKind & { kind: 'enum' }, value: unknown, path: Path): string {
  if (typeof value === 'string' && kind.numbers.has(value)) return value;
  throw refuse(path, `must be one of ${[...kind.numbers.keys()].join(', ')}`);
}

function bytesOf(value: unknown, path: Path): Uint8Array {
  if (isUint8Array(value)) return value;
  throw refuse(path, `must be a Uint8Array, not ${describe(value)}`);
}

function plainValue(kind: Exclude<ScalarKind, { kind: 'enum' }>, value: unknown, path: Path): unknown {
  switch (kind.kind) {
    case 'bytes':
      return bytesOf(value, path);
    case 'double':
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      throw refuse(path, `must be a finite number, not ${describe(value)}`);
    case 'integer':
      if (typeof value === 'number' && Number.isInteger(value) && value >= kind.min && value <= kind.max) {
        return value;
      }
      throw refuse(path, `must be an integer from ${kind.min} to ${kind.max}, not ${describe(value)}`);
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw refuse(path, `must be true or false, not ${describe(value)}`);
    case 'string':
      if (typeof value === 'string') return value;
      throw refuse(path, `must be text, not ${describe(value)}`);
  }
}
