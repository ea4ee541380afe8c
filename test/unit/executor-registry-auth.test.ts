import { expect, test } from '@jest/globals';
import { credentialsFor, registryOf } from '../../executor/core/tasks/registry-auth.ts';

const basic = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
const config = (auths: Record<string, unknown>) => JSON.stringify({ auths });

test.each([
  ['web', 'docker.io'],
  ['team/web:1', 'docker.io'],
  ['docker.io/library/web', 'docker.io'],
  ['index.docker.io/web', 'docker.io'],
  ['registry.example/web', 'registry.example'],
  ['registry:5000/team/web@sha256:abc', 'registry:5000'],
  ['localhost/web', 'localhost'],
])('%s comes from %s', (image, registry) => {
  expect(registryOf(image)).toBe(registry);
});

test('credentials are those of the image’s registry, in the newer and the older form of the file', () => {
  const auths = {
    'https://other.example': basic('a:b'),
    'https://registry:5000/v2/': basic('ann:pass:word'),
  };
  const expected = { serveraddress: 'registry:5000', username: 'ann', password: 'pass:word' };
  expect(credentialsFor('registry:5000/web', config(auths))).toEqual(expected);
  expect(credentialsFor('registry:5000/web', JSON.stringify(auths))).toEqual(expected);
  expect(credentialsFor('third.example/web', config(auths))).toBeUndefined();
});

test('Docker Hub has one name for its credentials', () => {
  const auths = { 'https://index.docker.io/v1/': { username: 'ann', password: 'p' } };
  const hub = { serveraddress: 'https://index.docker.io/v1/', username: 'ann', password: 'p' };
  expect(credentialsFor('web', config(auths))).toEqual(hub);
  expect(credentialsFor('web', config({ 'docker.io': { identitytoken: 't' } }))).toEqual({
    serveraddress: hub.serveraddress,
    identitytoken: 't',
  });
});

test('what is no such file has no credentials', () => {
  for (const text of [
    '',
    'x',
    '[]',
    '{"auths":3}',
    config({ 'r.example': basic('nocolon') }),
    config({ 'r.example': 4 }),
  ])
    expect(credentialsFor('r.example/web', text)).toBeUndefined();
});
