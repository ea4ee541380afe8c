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

/**
 * Rows as an aligned table for people; says so when there are none. With a `width`, in characters, the text of the widest
 * columns is wrapped so that no line is longer, as far as that can be; none of it is lost.
 */
export function table(
  headers: readonly string[],
  rows: readonly (readonly Cell[])[],
  none: string,
  width?: number,
): string {
  if (rows.length === 0) return none;
  const texts = rows.map((row) =>
    row.map((cell) => (cell === undefined || cell === null ? '-' : String(cell))),
  );
  const widths = width === undefined ? undefined : columnWidths([headers, ...texts], width);
  const made = new Table({
    head: headers.map((header) => bold(header)),
    ...(widths === undefined ? {} : { colWidths: widths, wordWrap: true }),
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of texts) made.push(row.map((text, index) => breakable(text, widths?.[index])));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A column is not made narrower than this, in characters. */
const leastColumn = 12;

/** The width of each column: what its widest cell has, or the same for all that are too wide together. */
function columnWidths(rows: readonly (readonly string[])[], width: number): number[] {
  const natural = rows[0]!.map((_, index) => Math.max(1, ...rows.map((row) => row[index]?.length ?? 0)));
  let room = width - noBorders.middle.length * (natural.length - 1);
  let limit = Number.POSITIVE_INFINITY;
  for (const [index, wanted] of natural.toSorted((a, b) => a - b).entries()) {
    limit = Math.max(leastColumn, Math.floor(room / (natural.length - index)));
    if (wanted > limit) break;
    room -= wanted;
  }
  return natural.map((wanted) => Math.min(wanted, limit));
}

/** The table breaks lines between words and cuts what is longer, so such a word is made several. */
const breakable = (text: string, width = Number.POSITIVE_INFINITY): string =>
  text
    .split(' ')
    .map((word) => (word.length <= width ? word : word.match(new RegExp(`.{1,${width}}`, 'gs'))!.join(' ')))
    .join(' ');

/** Characters in a line of the terminal; COLUMNS also says it where there is none. Undefined: lines may have any length. */
export function terminalWidth(): number | undefined {
  const said = Number(process.env['COLUMNS']);
  return Number.isInteger(said) && said > 0 ? said : process.stdout.columns;
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
