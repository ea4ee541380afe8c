import { z } from 'zod';

const leaderMessageSchema = z.object({
  schema: z.literal(1),
  leader: z.object({ url: z.url(), term: z.int().nonnegative() }),
});

/** Where the leading scheduler's API is, from a framework message; undefined for any other message. */
export function readLeaderMessage(
  data: Uint8Array,
): { readonly url: string; readonly term: number } | undefined {
  try {
    return leaderMessageSchema.safeParse(JSON.parse(new TextDecoder().decode(data))).data?.leader;
  } catch {
    return undefined;
  }
}
