import { entranceName } from '../../../src/fabric/path/question.ts';
import type { Entrance, HostAnswer, HostQuestion, PathFrame } from '../../../src/fabric/path/question.ts';
import type { AgentId } from '../../../src/model/ids.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { PatchpanelError } from '../../../src/runtime/errors.ts';

/** An answer takes a process on the host and two messages. */
const answerWithinMs = 5_000;
/** People ask; more open questions than this are a mistake. */
const maxOpen = 256;

export interface HostQuestionsOptions {
  readonly clock: Clock;
  /** Writes to the host's stream; false when it has none. */
  readonly send: (host: AgentId, question: HostQuestion) => boolean;
}

interface OpenQuestion {
  readonly host: AgentId;
  readonly settle: (answer: HostAnswer) => void;
}

/**
 * What hosts are asked over their view streams, and what they answer.
 * INVARIANTS: a question is open until its answer comes or its time is over; an answer counts only from the host that
 * was asked.
 */
export class HostQuestions {
  readonly #options: HostQuestionsOptions;
  readonly #open = new Map<number, OpenQuestion>();
  #nextId = 1;

  constructor(options: HostQuestionsOptions) {
    this.#options = options;
  }

  /**
   * What the host's switch would do with the frame. An answer that is a problem is an answer.
   * @throws PatchpanelError `unavailable` when the host has no stream or too much is asked, `deadline`
   */
  ask(host: AgentId, frame: PathFrame, entrance: Entrance): Promise<HostAnswer> {
    if (this.#open.size >= maxOpen)
      return Promise.reject(
        new PatchpanelError('unavailable', 'hosts are asked too much at once: try again'),
      );
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(answerWithinMs, () => {
        this.#open.delete(id);
        reject(
          new PatchpanelError(
            'deadline',
            `the executor on ${host} did not answer about ${entranceName(entrance)} within ${answerWithinMs} ms`,
          ),
        );
      });
      const settle = (answer: HostAnswer): void => {
        cancel();
        this.#open.delete(id);
        resolve(answer);
      };
      this.#open.set(id, { host, settle });
      if (this.#options.send(host, { id, frame, entrance })) return;
      cancel();
      this.#open.delete(id);
      reject(new PatchpanelError('unavailable', `the executor on ${host} is not connected`));
    });
  }

  /** Takes an answer in; false when nobody waits for it from this host (any more). */
  answered(host: AgentId, answer: HostAnswer): boolean {
    const open = this.#open.get(answer.id);
    if (open?.host !== host) return false;
    open.settle(answer);
    return true;
  }
}
