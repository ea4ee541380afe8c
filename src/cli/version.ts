import { createRequire } from 'node:module';

/** The version in package.json, which lies one folder above the built programs and two above the sources. */
export const version: string = (() => {
  const require = createRequire(import.meta.url);
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return (require(path) as { version: string }).version;
    } catch {
      continue;
    }
  }
  return 'unknown';
})();
