import { z } from 'zod';

/** Where the program that answers listens. */
export const wirePort = 9_000;

/** What one run between two namespaces showed. */
export const wireFiguresSchema = z.object({
  /** Of one TCP connection. */
  mbits: z.number(),
  roundTripUs: z.array(z.number()),
});

export type WireFigures = z.infer<typeof wireFiguresSchema>;

/** New connections that `knock` opens. */
export const knocksPerSecond = 220;

export const knockFiguresSchema = z.object({
  opened: z.number(),
  failed: z.number(),
});

export type KnockFigures = z.infer<typeof knockFiguresSchema>;
