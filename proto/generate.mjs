// Writes proto/*.gen.ts from proto/*.proto: for each group a descriptor for src/mesos/codec.ts and a TypeScript type
// for each message and enum. Run by `npm run generate`; a unit test proves that the files are current.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const folder = path.dirname(fileURLToPath(import.meta.url));

/** `scope` is the package whose name is left out of the generated names. */
const groups = [
  { prefix: 'mesos', scope: 'mesos.v1', sources: ['mesos', 'mesos-scheduler', 'mesos-executor'] },
  { prefix: 'view', scope: 'patchpanel', sources: ['view'] },
];

const numberTypes = new Set(['double', 'int32', 'uint32', 'int64', 'uint64']);

/** The generated files as they should be: absolute path and text of each. */
export function render() {
  return groups.map((group) => ({
    file: path.join(folder, `${group.prefix}.gen.ts`),
    text: renderGroup(group),
  }));
}

/** Writes the generated files and gives their paths. */
export async function generate() {
  const files = render();
  for (const { file, text } of files) writeFileSync(file, text);
  return files.map(({ file }) => file);
}

function renderGroup({ prefix, scope, sources }) {
  const root = new protobuf.Root();
  for (const source of sources) {
    const text = readFileSync(path.join(folder, `${source}.proto`), 'utf8');
    protobuf.parse(text, root, { keepCase: true, alternateCommentMode: true });
  }
  root.resolveAll();
  const { messages, enums } = collect(root.lookup(scope));
  const nameOf = namer(scope, [...messages, ...enums]);
  const title = prefix[0].toUpperCase() + prefix.slice(1);
  const typeNames = messages.map((message) => `  ${nameOf(message)}: '${message.fullName.slice(1)}',`);
  return [
    `// Generated from ${sources.map((source) => `${source}.proto`).join(', ')} by generate.mjs. Do not edit.`,
    `import type { INamespace } from 'protobufjs/light.js';\n`,
    ...enums.map((enumeration) => renderEnum(enumeration, nameOf)),
    ...messages.map((message) => renderMessage(message, nameOf)),
    `/** Every message by its name here. */`,
    `export interface ${title}Messages {`,
    ...messages.map((message) => `  ${nameOf(message)}: ${nameOf(message)};`),
    `}\n`,
    `/** The full protobuf name of each message. */`,
    `export const ${prefix}TypeNames: Readonly<Record<keyof ${title}Messages, string>> = {`,
    ...typeNames,
    `};\n`,
    `/** The schema in the JSON form of protobufjs. */`,
    `export const ${prefix}Descriptor: INamespace = ${JSON.stringify(root.toJSON())};\n`,
  ].join('\n');
}

function collect(namespace) {
  const messages = [];
  const enums = [];
  const visit = (object) => {
    if (object instanceof protobuf.Enum) enums.push(object);
    if (object instanceof protobuf.Type) messages.push(object);
    for (const nested of object.nestedArray ?? []) visit(nested);
  };
  visit(namespace);
  return { messages, enums };
}

/** `mesos.v1.scheduler.Call.Accept` → `SchedulerCallAccept`. */
function namer(scope, objects) {
  const names = new Map();
  for (const object of objects) {
    const parts = object.fullName.slice(scope.length + 2).split('.');
    const name = parts.map((part) => part[0].toUpperCase() + part.slice(1)).join('');
    if ([...names.values()].includes(name)) throw new Error(`two types would be called ${name}: rename one`);
    names.set(object, name);
  }
  return (object) => names.get(object);
}

function renderEnum(enumeration, nameOf) {
  const values = Object.keys(enumeration.values).map((value) => `\n  | '${value}'`);
  return `${renderComment(enumeration, '')}export type ${nameOf(enumeration)} =${values.join('')};\n`;
}

function renderMessage(message, nameOf) {
  const fields = message.fieldsArray.map((field) => {
    if (field.map || field.partOf) throw new Error(`${field.fullName}: maps and oneofs are not supported`);
    return `${renderComment(field, '  ')}  readonly ${renderField(field, nameOf)};\n`;
  });
  const name = `${renderComment(message, '')}export interface ${nameOf(message)}`;
  return fields.length === 0
    ? `${renderComment(message, '')}export type ${nameOf(message)} = Readonly<Record<string, never>>;\n`
    : `${name} {\n${fields.join('')}}\n`;
}

/** Required fields are always there; the others, lists included, are left out when nothing is set. */
function renderField(field, nameOf) {
  const type = field.resolvedType === null ? scalarType(field) : nameOf(field.resolvedType);
  if (field.required) return `${field.name}: ${type}`;
  return `${field.name}?: ${field.repeated ? `readonly ${type}[]` : type} | undefined`;
}

function scalarType(field) {
  if (numberTypes.has(field.type)) return 'number';
  if (field.type === 'bool') return 'boolean';
  if (field.type === 'bytes') return 'Uint8Array';
  if (field.type === 'string') return 'string';
  throw new Error(`${field.fullName}: type ${field.type} is not supported`);
}

function renderComment(object, indent) {
  return object.comment === null ? '' : `${indent}/** ${object.comment.replaceAll('\n', ' ')} */\n`;
}
