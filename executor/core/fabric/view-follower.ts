import { validateView } from '../../../src/fabric/validate-view.ts';
import { applyDelta, formatVersion, snapshotProblem } from '../../../src/fabric/view-diff.ts';
import type { EndpointKey, View, ViewVersion } from '../../../src/fabric/view.ts';
import type { ViewRecord } from '../../../src/fabric/view-wire.ts';

/** What a host has of its view. */
export interface FollowedView {
  /** The last one that nothing spoke against; it stays in force until a better one comes. */
  readonly good: View | undefined;
  /** As the stream has it: deltas go on from here, even when what came before was refused. */
  readonly received: View | undefined;
}

/** What a record of the stream means for the host. */
export type FollowStep =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'view'; readonly view: View }
  | { readonly kind: 'converged'; readonly endpoint: EndpointKey }
  /** Refused as a whole; the stream may go on and mend it. */
  | { readonly kind: 'refused'; readonly problem: string }
  /** The stream is of no use any more: `otherLeader` when it comes from an earlier term, else it lost us. */
  | { readonly kind: 'broken'; readonly problem: string; readonly otherLeader: boolean };

/** Why a view must not be put in force; empty: nothing speaks against it. */
export type CheckView = (view: View) => readonly string[];

/** The view and the meaning of the next record. */
export function followView(
  followed: FollowedView,
  record: ViewRecord,
  check: CheckView = validateView,
): readonly [FollowedView, FollowStep] {
  switch (record.kind) {
    case 'heartbeat':
    case 'question':
      return [followed, { kind: 'nothing' }];
    case 'converged':
      return [followed, { kind: 'converged', endpoint: record.endpoint }];
    case 'snapshot': {
      const problem = snapshotProblem(followed.good?.version, record.view.version);
      if (problem !== undefined) return [followed, { kind: 'broken', problem, otherLeader: true }];
      return judge(followed, record.view, check);
    }
    case 'delta': {
      if (followed.received === undefined) return [followed, lostTrack('a change came before any view')];
      const result = applyDelta(followed.received, record.delta);
      if (result.kind === 'refused') return [followed, lostTrack(result.problem)];
      return judge(followed, result.view, check);
    }
  }
}

/** What to begin a new stream with: what was refused is forgotten; after a loss of track all is asked for anew. */
export const restartStream = (followed: FollowedView): FollowedView =>
  followed.received === undefined ? followed : { ...followed, received: followed.good };

/** What the scheduler is told that the host has; undefined asks for a snapshot. */
export const haveVersion = (followed: FollowedView): ViewVersion | undefined => followed.received?.version;

function judge(followed: FollowedView, view: View, check: CheckView): readonly [FollowedView, FollowStep] {
  const problems = check(view);
  if (problems.length === 0)
    return [
      { good: view, received: view },
      { kind: 'view', view },
    ];
  const problem = `view ${formatVersion(view.version)} is refused: ${problems.join('; ')}`;
  return [
    { ...followed, received: view },
    { kind: 'refused', problem },
  ];
}

const lostTrack = (problem: string): FollowStep => ({ kind: 'broken', problem, otherLeader: false });
