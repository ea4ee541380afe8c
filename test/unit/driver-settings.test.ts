import { expect, test } from '@jest/globals';
import { configSchema } from '../../scheduler/config.ts';
import { coreSettings } from '../../scheduler/settings.ts';
import { executorId, frameworkId, offerId } from '../../src/model/ids.ts';

const share = (role: string) => [
  { name: 'cpus', type: 'SCALAR' as const, scalar: { value: 0.1 }, allocation_info: { role } },
];

const settingsFor = (role: string) =>
  coreSettings(
    configSchema.parse({ master: 'master:5050', role }),
    { directory: '/', file: 'patchpanel-executor-0123456789ab.tar.gz', build: 'b' },
    frameworkId('F'),
    () => share(role),
  );

test('a stored executor gets tasks of the role only that its resources were offered to', () => {
  const web = settingsFor('web');
  const info = web.buildExecutorInfo(executorId('E'), [offerId('O')]);
  expect(web.isOfOurRole(info)).toBe(true);
  expect(settingsFor('batch').isOfOurRole(info)).toBe(false);
});
