/** What an `Authorization` header says (RFC 7617, RFC 6750). */
export type ApiCredentials =
  | { readonly kind: 'basic'; readonly name: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string };

/** Reads the header; undefined when it is of no scheme that is known here, or malformed. */
export function parseAuthorization(header: string | undefined): ApiCredentials | undefined {
  // As clients written for DC/OS send it.
  const dcosToken = /^token=(\S+)$/i.exec(header ?? '')?.[1];
  if (dcosToken !== undefined) return { kind: 'bearer', token: dcosToken };
  const [, scheme = '', rest = ''] = /^(\S+) +(\S+) *$/.exec(header ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return { kind: 'bearer', token: rest };
    case 'basic': {
      const text = Buffer.from(rest, 'base64').toString('utf8');
      const colon = text.indexOf(':');
      if (colon < 0) return undefined;
      return { kind: 'basic', name: text.slice(0, colon), password: text.slice(colon + 1) };
    }
    default:
      return undefined;
  }
}
