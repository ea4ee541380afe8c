import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { OpenApiDocument } from '../../scheduler/api/openapi/document.ts';

/** One answer of the API, as a test saw it. */
export interface SeenAnswer {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: unknown;
}

/** Holds answers against the API's own description. */
export class DescribedApi {
  readonly #document: OpenApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.#document = document;
    this.#ajv.addSchema({ $id: 'api', components: document.components });
  }

  /** The described path that a URL means; the most particular one when several fit. */
  pathOf(method: string, url: string): string | undefined {
    const path = decodeURIComponent(url.replace(/\?.*/s, ''));
    const fitting = Object.keys(this.#document.paths).filter((template) => {
      const methods = this.#document.paths[template] ?? {};
      return method.toLowerCase() in methods && patternOf(template).test(path);
    });
    return fitting.sort((a, b) => literalLength(b) - literalLength(a))[0];
  }

  /** What does not fit; empty when the answer is as described. */
  problems({ method, url, status, contentType = '', body }: SeenAnswer): string[] {
    const path = this.pathOf(method, url);
    const operation = path === undefined ? undefined : this.#document.paths[path]?.[method.toLowerCase()];
    if (operation === undefined)
      return status === 404 || status === 405 ? [] : [`${method} ${url} is not described`];
    const known = operation.responses[String(status)];
    if (known === undefined && status < 400) return [`${method} ${path}: ${status} is not described`];
    const response =
      known?.content === undefined ? (status < 400 ? known : operation.responses['default']) : known;
    const type = contentType.split(';')[0] ?? '';
    const schema = response?.content?.[type]?.schema;
    if (schema === undefined || type !== 'application/json') return [];
    const validate = this.#validator(`${method} ${path} ${status}`, schema);
    if (validate(body)) return [];
    // Who selects fields gets what may be less than the schema requires.
    const selected = /[?&]fields=/.test(url);
    return (validate.errors ?? [])
      .filter(({ keyword }) => !selected || keyword !== 'required')
      .map(
        ({ instancePath, message, params }) =>
          `${method} ${path} ${status}: ${instancePath} ${message} ${JSON.stringify(params)}`,
      );
  }

  #validator(key: string, schema: unknown): ValidateFunction {
    const known = this.#validators.get(key);
    if (known !== undefined) return known;
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
    const validate = this.#ajv.compile(JSON.parse(text) as object);
    this.#validators.set(key, validate);
    return validate;
  }
}

/** `/v2/apps/{appId}/tasks` as a pattern; ids hold slashes. */
const patternOf = (template: string): RegExp =>
  new RegExp(`^${template.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{\w+\}/g, '.+')}/?$`);

const literalLength = (template: string): number => template.replaceAll(/\{\w+\}/g, '').length;
