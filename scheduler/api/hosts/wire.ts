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

/** One record of a view stream as it goes over the wire, framed. */
export const encodeViewRecord = (record: ViewRecord, encoding: Encoding): Buffer =>
  encodeRecord(codec.encode('ViewRecord', recordToWire(record), encoding));

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
