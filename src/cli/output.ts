import Table from 'cli-table3';
import { styleText } from 'node:util';

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

type Cell = string | number | boolean | null | undefined;

/** Rows as an aligned table for people; says so when there are none. */
export function table(headers: readonly string[], rows: readonly (readonly Cell[])[], none: string): string {
  if (rows.length === 0) return none;
  const made = new Table({
    head: headers.map((header) => bold(header)),
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows)
    made.push(row.map((cell) => (cell === undefined || cell === null ? '-' : String(cell))));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** JSON for programs, or text for people. */
export function print(json: boolean, data: unknown, text: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(data, null, 2) : text()}\n`);
}

/** Progress and remarks go to standard error, so that standard output stays for results. */
export function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function bold(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}
