/** How requests are authenticated. */
export type Credentials =
  /** A principal and its secret, as in the master's credentials file. */
  | { readonly kind: 'basic'; readonly principal: string; readonly secret: string }
  /** Asked for at each request, so that it can be renewed. */
  | { readonly kind: 'bearer'; readonly token: () => string | Promise<string> };

/** The headers that authenticate a request: none without credentials. */
export async function authorization(
  credentials: Credentials | undefined,
): Promise<Readonly<Record<string, string>>> {
  switch (credentials?.kind) {
    case undefined:
      return {};
    case 'basic': {
      const pair = Buffer.from(`${credentials.principal}:${credentials.secret}`).toString('base64');
      return { Authorization: `Basic ${pair}` };
    }
    case 'bearer':
      return { Authorization: `Bearer ${await credentials.token()}` };
  }
}
