import { describePort, entrancePort } from '../core/fabric/switch-ports.ts';
import { portsInTrace } from '../../src/fabric/path/parse-trace.ts';
import {
  entranceName,
  traceFlow,
  type HostAnswer,
  type HostQuestion,
} from '../../src/fabric/path/question.ts';
import type { LocalSwitch } from '../../src/fabric/local-switch.ts';
import { messageOf } from '../../src/runtime/errors.ts';

/** Each is a process; people ask, so more at once is a mistake. */
const MAX_AT_ONCE = 4;
/** A trace of our pipeline has some 2,000 characters. */
const MAX_TRACE_CHARACTERS = 64 * 1024;

export interface PathQuestionParts {
  /** Address of the host's tunnel endpoint. */
  readonly underlayIp: () => string;
  /** The switch as it is now. */
  readonly local: () => LocalSwitch;
  /** What `ofproto/trace` prints for this flow. */
  readonly trace: (flow: string) => Promise<string>;
}

/**
 * Answers what this host's switch would do with a frame. Nothing is sent by that.
 * INVARIANT: each question gets exactly one answer, and at most MAX_AT_ONCE are worked on.
 */
export class PathQuestions {
  readonly #parts: PathQuestionParts;
  #open = 0;

  constructor(parts: PathQuestionParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async answer(question: HostQuestion): Promise<HostAnswer> {
    const { id } = question;
    if (this.#open >= MAX_AT_ONCE) return { id, kind: 'problem', problem: 'it has too many questions' };
    this.#open += 1;
    try {
      return await this.#trace(question);
    } catch (error) {
      return { id, kind: 'problem', problem: messageOf(error) };
    } finally {
      this.#open -= 1;
    }
  }

  async #trace({ id, frame, entrance }: HostQuestion): Promise<HostAnswer> {
    const { underlayIp, trace } = this.#parts;
    const local = this.#parts.local();
    const ofport = entrancePort(local, entrance);
    if (ofport === undefined) {
      return { id, kind: 'problem', problem: `it does not have ${entranceName(entrance)}` };
    }
    const text = (await trace(traceFlow(frame, entrance, ofport, underlayIp()))).slice(
      0,
      MAX_TRACE_CHARACTERS,
    );
    const ports = portsInTrace(text).flatMap((number) => describePort(local, number) ?? []);
    return { id, kind: 'trace', trace: text, ports };
  }
}
