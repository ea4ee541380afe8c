/** The text as HTML: nothing in it is markup. */
export const escaped = (text: string | undefined): string =>
  (text ?? '').replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Text in the type of programs. */
export const code = (text: string): string => `<code>${escaped(text)}</code>`;
