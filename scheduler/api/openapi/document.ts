import { z } from 'zod';
import { defaultAccess } from '../security/access.ts';
import { named, type Answer, type Operation } from './operation.ts';
import { problem } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/** An OpenAPI 3.1 document. */
export interface OpenApiDocument extends Json {
  /** By path, then by method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: { readonly schemas: Json; readonly securitySchemes: Json };
}

/**
 * The description of these operations (OpenAPI 3.1.0). Bodies are described by the schemas that check them, turned
 * into JSON Schema by zod.
 */
export function openApiDocument(operations: readonly Operation[], version: string): OpenApiDocument {
  const components = new Components();
  const paths: Record<string, Record<string, DescribedOperation>> = {};
  for (const operation of operations) {
    const methods = (paths[operation.path] ??= {});
    methods[operation.method] = describe(operation, components);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Patchpanel',
      version,
      description: 'Marathon’s API (v2) and what Marathon does not have (v1).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '.' }],
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        token: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}

/** One operation of the document. */
export interface DescribedOperation {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly description?: string;
    readonly schema: unknown;
  }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
  /** Whom it is for where users are known; absent: everybody. */
  readonly 'x-role'?: string;
}

/** Schemas by media type. */
export type Content = Readonly<Record<string, { readonly schema: unknown }>>;

/** Named schemas that were met; they refer to each other by name. */
class Components {
  readonly schemas: Record<string, unknown> = {};

  of(schema: z.ZodType, io: 'input' | 'output'): unknown {
    // As an item of a list, so that a named schema becomes a reference also where it stands alone.
    const { $defs = {}, items } = z.toJSONSchema(z.array(schema), {
      io,
      metadata: named,
      unrepresentable: 'any',
    });
    for (const [id, definition] of Object.entries($defs)) this.schemas[id] ??= relocated(definition);
    return relocated(items);
  }
}

const relocated = (schema: unknown): unknown =>
  JSON.parse(JSON.stringify(schema).replaceAll('#/$defs/', '#/components/schemas/'));

function describe(
  { summary, access, method, path, query, body, answers }: Operation,
  components: Components,
): DescribedOperation {
  const needs = access ?? defaultAccess(method.toUpperCase());
  return {
    summary,
    tags: [tagOf(path)],
    parameters: [...pathParameters(path), ...queryParameters(query, components)],
    ...(needs === 'open' ? {} : { security: [{}, { basic: [] }, { token: [] }], 'x-role': needs }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: components.of(body, 'input') } },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, present(answer, components)]),
      ),
      default: present({ description: 'a refusal', schema: problem }, components),
    },
  };
}

/** `/v2/apps/{appId}` → `v2/apps`; what has no version is about the scheduler itself. */
function tagOf(path: string): string {
  const [, version = '', what = ''] = path.split('/');
  return /^v\d$/.test(version) ? `${version}/${what}` : 'scheduler';
}

const pathParameters = (path: string): DescribedOperation['parameters'] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter = '']) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

function queryParameters(
  query: z.ZodObject | undefined,
  components: Components,
): DescribedOperation['parameters'][number][] {
  return Object.entries(query?.shape ?? {}).map(([parameter, schema]) => ({
    name: parameter,
    in: 'query',
    required: false,
    ...(schema.description === undefined ? {} : { description: schema.description }),
    schema: components.of(schema as z.ZodType, 'input'),
  }));
}

function present(
  { description, schema, type = 'application/json' }: Answer,
  components: Components,
): DescribedOperation['responses'][string] {
  if (schema === undefined && type === 'application/json') return { description };
  const content = schema === undefined ? { type: 'string' } : components.of(schema, 'output');
  return { description, content: { [type]: { schema: content } } };
}
