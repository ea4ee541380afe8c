import { z } from 'zod';

/** What `bench-switch` is to do, on the switch of the host in whose namespace it is started. */
export const switchSpecSchema = z.object({
  ovsRunDir: z.string(),
  stateDir: z.string(),
  hostname: z.string(),
  underlayIp: z.string(),
  /** Attaches one after the other, then so many at once. */
  alone: z.number(),
  atOnce: z.number(),
  /** Times that all flows are written anew, and for how many addresses of the fabric. */
  resyncs: z.number(),
  addresses: z.number(),
});

export type SwitchSpec = z.infer<typeof switchSpecSchema>;

/** Milliseconds, unless told. */
export const switchFiguresSchema = z.object({
  alone: z.array(z.number()),
  /** Of each from the moment when all were asked for. */
  atOnce: z.array(z.number()),
  resyncs: z.array(z.number()),
  /** How many flows a resync wrote. */
  flows: z.number(),
});

export type SwitchFigures = z.infer<typeof switchFiguresSchema>;
