import { code, escaped } from './html.ts';

/** The part of JSON Schema that zod makes and the page shows. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** zod bounds every integer by what JavaScript can count. */
const isBound = (limit: number | undefined): limit is number =>
  limit !== undefined && Math.abs(limit) !== Number.MAX_SAFE_INTEGER;

/** A schema as people read it: the name of one that has its own place, a word, or a table of fields. */
export function schemaHtml(given: unknown): string {
  const schema = given as Schema;
  const name = schema.$ref?.split('/').at(-1);
  if (name !== undefined) return `<a href="#schema-${escaped(name)}">${code(name)}</a>`;
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(JSON.stringify(value))).join(' or ');
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) return forms.map(schemaHtml).join(' or ');
  if (schema.type === 'array') return `list of ${schemaHtml(schema.items ?? {})}`;
  if (schema.type === 'object') return objectHtml(schema);
  return schema.type === undefined ? 'anything' : `${escaped(schema.type)}${limitsText(schema)}`;
}

/** What is told of a value besides its type. */
export function noteHtml(given: unknown): string {
  const { description, default: fallback } = given as Schema;
  const unless = fallback === undefined ? '' : `default ${code(JSON.stringify(fallback))}`;
  return [escaped(description), unless].filter((part) => part !== '').join('; ');
}

function objectHtml({ properties = {}, required = [], additionalProperties }: Schema): string {
  const fields = Object.entries(properties).map(
    ([name, field]) =>
      `<tr><td>${code(name)}${required.includes(name) ? '' : '<i>?</i>'}</td><td>${schemaHtml(field)}</td><td>${noteHtml(field)}</td></tr>`,
  );
  const others =
    typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0
      ? [`<tr><td><i>any name</i></td><td>${schemaHtml(additionalProperties)}</td><td></td></tr>`]
      : [];
  const rows = [...fields, ...others];
  return rows.length === 0 ? 'object' : `object<table class="fields">${rows.join('')}</table>`;
}

function limitsText({ minimum, maximum, minLength, maxLength, pattern }: Schema): string {
  const range = [
    ...(isBound(minimum) ? [`at least ${minimum}`] : []),
    ...(isBound(maximum) ? [`at most ${maximum}`] : []),
    ...(minLength === undefined ? [] : [minLength === 1 ? 'not empty' : `${minLength} characters or more`]),
    ...(maxLength === undefined ? [] : [`${maxLength} characters or fewer`]),
    // That of a time is long, and its description says it in words.
    ...(pattern === undefined || pattern.length > 60 ? [] : [`matches ${code(pattern)}`]),
  ];
  return range.length === 0 ? '' : `, ${range.join(', ')}`;
}
