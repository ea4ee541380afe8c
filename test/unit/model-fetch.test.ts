import { expect, test } from '@jest/globals';
import { archiveKind, destPathProblem, fetchSource, speakableUri } from '../../src/model/fetch.ts';

test.each([
  ['http://files.example/a/app.tar.gz?sig=1', { kind: 'http', name: 'app.tar.gz' }],
  ['https://files.example/a%20b', { kind: 'http', name: 'a b' }],
  ['file:///etc/docker.tar.gz', { kind: 'file', path: '/etc/docker.tar.gz', name: 'docker.tar.gz' }],
  ['/etc/my file', { kind: 'file', path: '/etc/my file', name: 'my file' }],
])('%s can be fetched', (uri, expected) => {
  expect(fetchSource(uri)).toMatchObject(expected);
});

test.each([
  ['http://files.example', /names no file/],
  ['http://files.example/%zz', /invalid syntax/],
  ['not a uri', /invalid syntax/],
  ['relative/path', /invalid syntax/],
  ['file://host/path', /file:\/\/\/path/],
  ['hdfs://namenode/x', /hdfs:\/\/ is not supported/],
])('%s cannot', (uri, problem) => {
  const source = fetchSource(uri);
  expect(source.kind === 'none' ? source.problem : '').toMatch(problem);
});

test('archives are known by their names', () => {
  expect(
    ['a.tar', 'a.tgz', 'a.tar.gz', 'A.TBZ2', 'a.txz', 'a.zip', 'a.gz', 'a.jar', 'tar'].map(archiveKind),
  ).toEqual(['tar', 'tar', 'tar', 'tar.bz2', 'tar.xz', 'zip', undefined, undefined, undefined]);
});

test('a path is inside the sandbox or refused', () => {
  for (const path of ['a', 'a/b.txt', '.hidden']) expect(destPathProblem(path)).toBeUndefined();
  for (const path of ['', '/a', '../a', 'a/../../b', 'a/', 'a\0b'])
    expect(destPathProblem(path)).toBeDefined();
});

test('a URI is told without what may be secret', () => {
  expect(speakableUri('https://ann:secret@files.example/a.tar?sig=secret')).toBe(
    'https://files.example/a.tar?…',
  );
  expect(speakableUri('/etc/x')).toBe('/etc/x');
});
