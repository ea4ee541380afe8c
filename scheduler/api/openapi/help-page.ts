import { createHash } from 'node:crypto';
import type { Content, DescribedOperation, OpenApiDocument } from './document.ts';

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .2rem 0; }
code, pre { font: .9rem/1.4 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .5rem; border: 1px solid #8885; border-radius: .3rem; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; }
details > :not(summary) { margin-left: 1rem; }
table { border-collapse: collapse; } td, th { padding: .1rem .8rem .1rem 0; text-align: left; vertical-align: top; }
`;

/** Nothing from elsewhere, no scripts: the page is text. */
export const helpPagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'`;

/** The description as one page that needs nothing else. */
export function helpPage({ paths, components, ...document }: OpenApiDocument): string {
  const { title, version, description } = document['info'] as Record<string, string>;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method,
      operation,
    })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(`${title} API`)}</title><style>${style}</style></head>
<body>
<h1>${escaped(`${title} API`)}</h1>
<p>${escaped(`${description} Version ${version}.`)} For programs: <a href="v2/openapi.json">openapi.json</a>.</p>
<nav>${tags.map((tag) => `<a href="#${escaped(tag)}">${escaped(tag)}</a>`).join(' · ')} · <a href="#schemas">schemas</a></nav>
${tags
  .map((tag) =>
    section(
      tag,
      operations.filter(({ operation }) => operation.tags.includes(tag)),
    ),
  )
  .join('\n')}
<h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas)
  .map(
    ([name, schema]) =>
      `<details id="schema-${escaped(name)}"><summary><code>${escaped(name)}</code></summary>${json(schema)}</details>`,
  )
  .join('\n')}
</body>
</html>
`;
}

interface Listed {
  readonly path: string;
  readonly method: string;
  readonly operation: DescribedOperation;
}

const section = (tag: string, operations: readonly Listed[]): string =>
  `<h2 id="${escaped(tag)}">${escaped(tag)}</h2>\n${operations.map(details).join('\n')}`;

function details({ path, method, operation }: Listed): string {
  const parameters = operation.parameters.map(
    (parameter) =>
      `<tr><td><code>${escaped(parameter.name)}</code></td><td>${escaped(parameter.in)}</td><td>${escaped(parameter.description ?? '')}</td></tr>`,
  );
  const answers = Object.entries(operation.responses).map(
    ([status, { description, content }]) =>
      `<tr><td><code>${escaped(status)}</code></td><td>${escaped(description)}</td><td>${contents(content)}</td></tr>`,
  );
  const body = contents(operation.requestBody?.content);
  return `<details><summary><span class="method">${escaped(method.toUpperCase())}</span> <code>${escaped(path)}</code> ${escaped(operation.summary)}</summary>
${parameters.length === 0 ? '' : `<h4>Parameters</h4><table>${parameters.join('')}</table>`}
${body === '' ? '' : `<h4>Body</h4>${body}`}
<h4>Answers</h4><table>${answers.join('')}</table></details>`;
}

const contents = (content: Content | undefined): string =>
  Object.entries(content ?? {})
    .map(([type, { schema }]) => `${escaped(type)} ${schemaText(schema)}`)
    .join('');

/** A link to a named schema, or the schema itself. */
function schemaText(schema: unknown): string {
  const { $ref } = schema as { readonly $ref?: string };
  const name = $ref?.split('/').at(-1);
  return name === undefined
    ? json(schema)
    : `<a href="#schema-${escaped(name)}"><code>${escaped(name)}</code></a>`;
}

const json = (value: unknown): string => `<pre>${escaped(JSON.stringify(value, null, 2))}</pre>`;

const escaped = (text: string | undefined): string =>
  (text ?? '').replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
