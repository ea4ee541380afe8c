import type { Clock } from '../../src/runtime/clock.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import type { AttachTimings } from '../core/ports.ts';

/** The steps of an attach. */
export interface AttachSteps {
  /** Makes the veth pair; the sandbox's configuration and the port both need it. */
  create(): Promise<void>;
  configure(): Promise<void>;
  plug(signal: AbortSignal): Promise<void>;
  /** They name the port's number only, so they need none of the others. */
  flows(signal: AbortSignal): Promise<void>;
}

/**
 * Runs the steps with as much at the same time as can be. When it ends, by success or failure, no step is under way.
 * @throws what the first step that failed threw; the others were told to stop
 */
export async function runAttach(
  clock: Clock,
  signal: AbortSignal,
  steps: AttachSteps,
): Promise<AttachTimings> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const started = clock.now();
  const since = async (work: Promise<void>, from: number) => {
    try {
      await work;
    } catch (error) {
      stop.abort(error);
      throw error;
    }
    return clock.now() - from;
  };
  const goOn = () => {
    if (either.aborted)
      throw new PatchpanelError('aborted', 'the attach was cancelled', { cause: either.reason });
    return clock.now();
  };
  const created = steps.create();
  const configured = since(
    created.then(() => void goOn()).then(() => steps.configure()),
    started,
  );
  const plugged = created.then(goOn).then((from) => since(steps.plug(either), from));
  const flowing = since(steps.flows(either), started);
  const [link, port, flows] = await Promise.allSettled([configured, plugged, flowing]);
  if (link.status === 'fulfilled' && port.status === 'fulfilled' && flows.status === 'fulfilled') {
    const totalMs = clock.now() - started;
    return { linkMs: link.value, portMs: port.value, flowsMs: flows.value, totalMs };
  }
  throw firstFailure(stop.signal, [link, port, flows]);
}

/** The others may have failed only because they were stopped. */
function firstFailure(stop: AbortSignal, results: readonly PromiseSettledResult<number>[]): unknown {
  if (stop.aborted) return stop.reason;
  return results.find((result) => result.status === 'rejected')?.reason;
}
