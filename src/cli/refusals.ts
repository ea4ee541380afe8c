/** The body of a refusal, in Marathon's shape. */
export interface ErrorBody {
  readonly message?: string;
  readonly details?: string | readonly { readonly path: string; readonly errors: readonly string[] }[];
  readonly deployments?: readonly { readonly id: string }[];
}

/** Marathon's clients know these; people should not have to. */
const marathonCodes: Readonly<Record<string, string>> = {
  'error.path.missing': 'it is missing',
  'error.expected.jsstring': 'it must be a string',
  'error.expected.jsnumber': 'it must be a number',
  'error.expected.jsboolean': 'it must be true or false',
  'error.expected.jsarray': 'it must be a list',
  'error.expected.jsobject': 'it must be an object',
  'error.min': 'it is too small',
  'error.max': 'it is too large',
  'error.minLength': 'it is too short',
  'error.pattern': 'it does not have the right form',
};

/** What was refused and why, for people: the message, then a line for each field. */
export function refusalText(body: ErrorBody | undefined, status: number): string {
  const message = body?.message ?? `the scheduler answered ${status}`;
  if (body?.details === undefined) return message;
  if (typeof body.details === 'string') return `${message}: ${body.details}`;
  const fields = body.details.map(({ path, errors }) => `  ${path}: ${errors.map(inWords).join('; ')}`);
  return [message, ...fields].join('\n');
}

function inWords(error: string): string {
  const words = marathonCodes[error];
  return words === undefined ? error : `${words} (${error})`;
}

/** A refusal because of a deployment that is under way, and the ways out. */
export function conflictText(body: ErrorBody | undefined): string {
  const ids = (body?.deployments ?? []).map(({ id }) => id);
  if (ids.length === 0) return refusalText(body, 409);
  return (
    `a deployment is under way: ${ids.join(', ')}\n` +
    `Wait for it with \`patchpanel deployment wait ${ids[0]}\`, or replace it with --force.`
  );
}
