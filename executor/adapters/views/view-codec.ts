import { viewDescriptor, viewTypeNames, type ViewMessages } from '../../../proto/view.gen.ts';
import { createCodec } from '../../../src/mesos/codec.ts';

/** The codec of what scheduler and executor say to each other about views. */
export const viewCodec = createCodec<ViewMessages>(viewDescriptor, viewTypeNames);
