import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Secrets } from '../../scheduler/driver/secrets.ts';

let directory: string;
let secrets: Secrets;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'pp-secrets-'));
  await mkdir(path.join(directory, 'db'));
  await writeFile(path.join(directory, 'db', 'password'), 'hunter2\n');
  await writeFile(path.join(directory, '.hidden'), 'no');
  await writeFile(path.join(directory, 'large'), Buffer.alloc(65 * 1024));
  secrets = new Secrets({
    directory,
    environment: { PATCHPANEL_APP_SECRET_TOKEN: 't0ken', PATH: '/bin' },
  });
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test('a secret is a file below the directory, as it is, or one of the scheduler’s variables for secrets', () => {
  expect(secrets.read('db/password').toString()).toBe('hunter2\n');
  expect(secrets.read('env:TOKEN').toString()).toBe('t0ken');
  expect(secrets.problem('db/password')).toBeUndefined();
});

test.each([
  ['../etc/passwd', /not a path below/],
  ['/etc/passwd', /not a path below/],
  ['db/../../x', /not a path below/],
  ['.hidden', /not a path below/],
  ['', /not a path below/],
  ['db', /there is no secret "db"/],
  ['db/password/x', /there is no secret/],
  ['nothing', /there is no secret "nothing"/],
  ['large', /larger than 65536/],
  ['env:PATH', /no variable PATCHPANEL_APP_SECRET_PATH/],
  ['env:../x', /does not name a variable/],
])('%j is none', (source, problem) => {
  expect(secrets.problem(source)).toMatch(problem);
});

test('without a directory only variables are there', () => {
  const none = new Secrets({ directory: undefined, environment: {} });
  expect(none.problem('db/password')).toMatch('Enable with --secrets-dir');
});
