import { viewDescriptor, viewTypeNames, type ViewMessages } from '../../../proto/view.gen.ts';
import {
  recordToWire,
  reportFromWire,
  type HostReport,
  type ViewRecord,
} from '../../../src/fabric/view-wire.ts';
import { countersFromWire } from '../../../src/fabric/counters-wire.ts';
import type { HostCounters } from '../../../src/fabric/counters.ts';
import { answerFromWire } from '../../../src/fabric/path/question-wire.ts';
import type { HostAnswer } from '../../../src/fabric/path/question.ts';
import { createCodec, type Encoding } from '../../../src/mesos/codec.ts';
import { encodeRecord } from '../../../src/mesos/recordio.ts';

const codec = createCodec<ViewMessages>(viewDescriptor, viewTypeNames);

/** Records of view streams as they go over the wire, framed. One that goes to many hosts is encoded once. */
export class ViewRecordEncoder {
  readonly #encoded: Readonly<Record<Encoding, WeakMap<ViewRecord, Buffer>>> = {
    protobuf: new WeakMap(),
    json: new WeakMap(),
  };

  encode(record: ViewRecord, encoding: Encoding): Buffer {
    const known = this.#encoded[encoding].get(record);
    if (known !== undefined) return known;
    const bytes = encodeRecord(codec.encode('ViewRecord', recordToWire(record), encoding));
    this.#encoded[encoding].set(record, bytes);
    return bytes;
  }
}

/**
 * A host's report.
 * @throws PatchpanelError `protocol` or `invalid` when it is none
 */
export const decodeReport = (body: Uint8Array, encoding: Encoding): HostReport =>
  reportFromWire(codec.decode('ViewReport', body, encoding));

/**
 * A host's answer to a question.
 * @throws PatchpanelError `protocol` or `invalid` when it is none
 */
export const decodeAnswer = (body: Uint8Array, encoding: Encoding): HostAnswer =>
  answerFromWire(codec.decode('ViewAnswer', body, encoding));

/**
 * What a host has counted.
 * @throws PatchpanelError `protocol` when it is nothing of the kind
 */
export const decodeCounters = (body: Uint8Array, encoding: Encoding): HostCounters =>
  countersFromWire(codec.decode('ViewCounters', body, encoding));
