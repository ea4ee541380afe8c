/** The values of OVSDB's JSON notation (RFC 7047 §5.1): a column holds one atom, a set of atoms or a map of atoms. */
export type OvsdbAtom =
  string | number | boolean | readonly ['uuid', string] | readonly ['named-uuid', string];
export type OvsdbValue =
  | OvsdbAtom
  | readonly ['set', readonly OvsdbAtom[]]
  | readonly ['map', readonly (readonly [OvsdbAtom, OvsdbAtom])[]];

/** A reference to a row that exists. */
export const uuidRef = (uuid: string): OvsdbAtom => ['uuid', uuid];

/** A reference to a row that the same transaction inserts under this name. */
export const namedRef = (name: string): OvsdbAtom => ['named-uuid', name];

export const ovsdbSet = (atoms: readonly OvsdbAtom[]): OvsdbValue => ['set', atoms];

export const ovsdbMap = (entries: Readonly<Record<string, string>>): OvsdbValue => [
  'map',
  Object.entries(entries),
];

/** The atoms of a column that holds a set; a set of one may come as the bare atom. */
export function atomsOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return value === undefined ? [] : [value];
  const [tag, content] = value as [unknown, unknown];
  if (tag === 'set' && Array.isArray(content)) return content as unknown[];
  return [value];
}

export const stringsOf = (value: unknown): readonly string[] =>
  atomsOf(value).filter((atom): atom is string => typeof atom === 'string');

/** The only string of an optional column; undefined when it is empty. */
export const stringOf = (value: unknown): string | undefined => stringsOf(value)[0];

/** The only number of an optional column; undefined when it is empty. */
export const numberOf = (value: unknown): number | undefined =>
  atomsOf(value).find((atom): atom is number => typeof atom === 'number');

/** The uuids of a column of references. */
export const uuidsOf = (value: unknown): readonly string[] =>
  atomsOf(value).flatMap((atom) => (Array.isArray(atom) && atom[0] === 'uuid' ? [String(atom[1])] : []));

/** A map column as an object; anything else gives an empty one. */
export function mapOf(value: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(value) || value[0] !== 'map' || !Array.isArray(value[1])) return {};
  const entries = value[1] as [unknown, unknown][];
  return Object.fromEntries(entries.map(([key, content]) => [String(key), String(content)]));
}
