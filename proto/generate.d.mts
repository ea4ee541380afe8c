/** The generated files as they should be. */
export function render(): readonly { readonly file: string; readonly text: string }[];
/** Writes them and gives their paths. */
export function generate(): Promise<readonly string[]>;
