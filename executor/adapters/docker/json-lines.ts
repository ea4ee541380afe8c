import { PatchpanelError, messageOf } from '../../../src/runtime/errors.ts';

/** Docker's progress and event records are small; more than this without a line break is no such stream. */
const longestLine = 1024 * 1024;

/**
 * The JSON values of a stream that has one on each line, split anywhere.
 * @throws PatchpanelError `protocol` when a line is not JSON or longer than 1 MiB
 */
export async function* jsonLines(stream: AsyncIterable<Buffer | string>): AsyncGenerator {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longestLine) throw new PatchpanelError('protocol', 'a line of Docker is too long');
    for (const line of lines) if (line.trim() !== '') yield parse(line);
  }
  if (rest.trim() !== '') yield parse(rest);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new PatchpanelError('protocol', `Docker sent a line that is not JSON: ${messageOf(error)}`);
  }
}
