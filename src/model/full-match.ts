import { RE2JS } from 're2js';

/**
 * A regular expression that has to match a whole text, as Java's `matches`. Linear in the text, so that no expression
 * of an app can hold up the scheduler; back-references and look-around are therefore not in it (RE2's syntax).
 * Undefined when it is none.
 */
export function fullMatcher(expression: string): ((text: string) => boolean) | undefined {
  try {
    const compiled = RE2JS.compile(expression);
    return (text) => compiled.matcher(text).matches();
  } catch {
    return undefined;
  }
}
