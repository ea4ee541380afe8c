import { fileURLToPath } from 'node:url';

// One project for each thing a test needs; `--selectProjects unit` runs what needs nothing.
const rootDir = fileURLToPath(new URL('..', import.meta.url));

const base = {
  rootDir,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '<rootDir>/test/support/esbuild-transformer.mjs' },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
};

const project = (name, timeoutMs) => ({
  ...base,
  displayName: name,
  roots: [`<rootDir>/test/${name}`],
  testMatch: ['**/*.test.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/support/jest-setup.mjs'],
  globals: { testTimeoutMs: timeoutMs },
});

export default {
  rootDir,
  projects: [
    project('unit', 10_000),
    project('property', 60_000),
    project('component', 60_000),
    project('cluster', 180_000),
    // Clusters under load: they want the machine for themselves.
    project('load', 180_000),
    // Hours, if asked for: `npm run test:faults`; never part of `npm test`.
    project('faults', 4 * 3_600_000),
  ],
};
