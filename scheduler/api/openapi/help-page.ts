import { createHash } from 'node:crypto';
import type { Content, DescribedOperation, OpenApiDocument } from './document.ts';
import { code, escaped } from './html.ts';
import { noteHtml, schemaHtml } from './schema-html.ts';

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif;
  --line: light-dark(#d9dde3, #3a4048); --soft: light-dark(#f5f6f8, #1c2025); --dim: light-dark(#5b6470, #a0a8b3); --link: light-dark(#0b5cad, #7ab8f5); }
body { margin: 0 auto; max-width: 80rem; padding: 0 1.5rem 4rem; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
code { font: .92em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
h1 { margin: 1.5rem 0 .25rem; } h1 + p { margin-top: 0; color: var(--dim); }
h2 { margin: 2rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); font-size: 1.2rem; }
h3 { margin: .8rem 0 .2rem; font-size: .85rem; color: var(--dim); text-transform: uppercase; letter-spacing: .04em; }
nav a { display: inline-block; margin-right: .9rem; }
summary { cursor: pointer; display: flex; gap: .75rem; align-items: baseline; padding: .3rem .5rem; border-radius: .3rem; }
summary:hover { background: var(--soft); }
summary .method { flex: 0 0 4.3rem; font: 600 .78rem/1.6 ui-monospace, monospace; text-align: center; border-radius: .25rem; color: #fff; }
.get { background: #2f6f4f; } .post { background: #1f5f9f; } .put, .patch { background: #8a5a00; } .delete { background: #a32d2d; }
summary .path { flex: 0 1 auto; font-weight: 600; } summary .about { flex: 1 1 12rem; color: var(--dim); }
details[open] > summary { background: var(--soft); }
details > div { margin: 0 0 1rem .5rem; padding: .2rem 0 .2rem 1rem; border-left: 2px solid var(--line); scroll-margin-top: 3rem; }
table { border-collapse: collapse; }
td { padding: .15rem 1rem .15rem 0; vertical-align: top; } td:last-child { padding-right: 0; }
td:first-child { white-space: nowrap; } td i { color: var(--dim); font-style: normal; }
table.fields { margin: .1rem 0 .3rem; border-left: 2px solid var(--line); } table.fields td:first-child { padding-left: .6rem; }
@media (min-width: 62rem) {
  body { display: grid; grid-template-columns: 11rem minmax(0, 1fr); column-gap: 2.5rem; }
  header { grid-column: 1 / -1; } nav { position: sticky; top: 1rem; align-self: start; } nav a { display: block; margin: 0; padding: .12rem 0; }
}
@media (max-width: 45rem) { summary { flex-wrap: wrap; } }
`;

/** Nothing from elsewhere, no scripts: the page is text. */
export const helpPagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'`;

/** The description as one page that needs nothing else. A link into something that is closed opens it. */
export function helpPage({ paths, components, ...document }: OpenApiDocument): string {
  const { title, version, description } = document['info'] as Record<string, string>;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))].toSorted(
    (one, other) => rank(one) - rank(other),
  );
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag));
    return `<h2 id="${escaped(tag)}">${escaped(tag)}</h2>\n${own.map(operationHtml).join('\n')}`;
  });
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`${title} API`)}</title><style>${style}</style></head>
<body>
<header><h1>${escaped(`${title} API`)}</h1>
<p>${escaped(`${description} Version ${version}.`)} For programs: <a href="v2/openapi.json">openapi.json</a>.</p></header>
<nav>${tags.map((tag) => `<a href="#${escaped(tag)}">${escaped(tag)}</a>`).join('\n')}
<a href="#schemas">schemas</a></nav>
<main>
${sections.join('\n')}
<h2 id="schemas">schemas</h2>
<p>A field with <i>?</i> may be absent.</p>
${Object.entries(components.schemas)
  .map(([name, schema]) => schemaSection(name, schema))
  .join('\n')}
</main>
</body>
</html>
`;
}

/** Marathon's first, then ours, then what is about the scheduler. */
const rank = (tag: string): number => (tag.startsWith('v2/') ? 0 : tag.startsWith('v1/') ? 1 : 2);

interface Listed {
  readonly path: string;
  readonly method: string;
  readonly operation: DescribedOperation;
}

function operationHtml({ path, method, operation }: Listed): string {
  const role = operation['x-role'];
  const parameters = operation.parameters.map(
    ({ name, in: place, schema, description }) =>
      `<tr><td>${code(name)}</td><td>${escaped(place)}</td><td>${schemaHtml(schema)}</td><td>${noteHtml({ ...(schema as object), description })}</td></tr>`,
  );
  const answers = Object.entries(operation.responses).map(
    ([status, { description, content }]) =>
      `<tr><td>${code(status)}</td><td>${escaped(description)}</td><td>${contentHtml(content)}</td></tr>`,
  );
  const body = contentHtml(operation.requestBody?.content);
  return `<details><summary><span class="method ${escaped(method)}">${escaped(method.toUpperCase())}</span><span class="path">${code(path)}</span><span class="about">${escaped(operation.summary)}</span></summary>
<div>${role === undefined ? '' : `<p>Where users are known, for who has the role ${code(role)}.</p>`}
${parameters.length === 0 ? '' : `<h3>Parameters</h3><table>${parameters.join('')}</table>`}
${body === '' ? '' : `<h3>Body</h3>${body}`}
<h3>Answers</h3><table>${answers.join('')}</table></div></details>`;
}

const schemaSection = (name: string, schema: unknown): string =>
  `<details><summary><span class="path">${code(name)}</span></summary><div id="schema-${escaped(name)}">${schemaHtml(schema)}</div></details>`;

/** JSON goes without saying. */
const contentHtml = (content: Content | undefined): string =>
  Object.entries(content ?? {})
    .map(([type, { schema }]) =>
      type === 'application/json' ? schemaHtml(schema) : `${escaped(type)}: ${schemaHtml(schema)}`,
    )
    .join('');
