import type { App } from './app.ts';

/**
 * How a slot goes over from one incarnation to the next. drain: new connections go to the new one, the old one keeps
 * what it has until that ends. swap: the new one gets everything at once, old connections are reset. recreate: the
 * old one ends before the new one starts.
 */
export const handoverModes = ['drain', 'swap', 'recreate'] as const;

export type HandoverMode = (typeof handoverModes)[number];

/** The labels of an app that set its handover. */
export const handoverLabels = {
  mode: 'patchpanel.handover',
  drainSeconds: 'patchpanel.drainSeconds',
} as const;

export interface Handover {
  readonly mode: HandoverMode;
  /** How long the old incarnation may keep its connections after the flip. */
  readonly drainMs: number;
}

const defaultDrainSeconds = 30;
const maxDrainSeconds = 86_400;

/** The handover of an app whose labels handoverProblems() has nothing against. */
export function handoverOf({ labels }: Pick<App, 'labels'>): Handover {
  const mode = handoverModes.find((each) => each === labels[handoverLabels.mode]) ?? 'drain';
  const seconds = Number(labels[handoverLabels.drainSeconds] ?? defaultDrainSeconds);
  return { mode, drainMs: Number.isFinite(seconds) ? seconds * 1000 : defaultDrainSeconds * 1000 };
}

/** What is wrong with the labels: each with its name. */
export function handoverProblems(
  labels: Readonly<Record<string, string>>,
): readonly { readonly label: string; readonly problem: string }[] {
  const problems: { label: string; problem: string }[] = [];
  const mode = labels[handoverLabels.mode];
  if (mode !== undefined && !handoverModes.some((each) => each === mode)) {
    problems.push({ label: handoverLabels.mode, problem: `must be one of ${handoverModes.join(', ')}` });
  }
  const seconds = labels[handoverLabels.drainSeconds];
  if (seconds !== undefined && (!/^\d+(\.\d+)?$/.test(seconds) || Number(seconds) > maxDrainSeconds)) {
    problems.push({
      label: handoverLabels.drainSeconds,
      problem: `must be a number of seconds from 0 to ${maxDrainSeconds}`,
    });
  }
  return problems;
}
