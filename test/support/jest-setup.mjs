import { jest } from '@jest/globals';

jest.setTimeout(globalThis.testTimeoutMs ?? 10_000);
