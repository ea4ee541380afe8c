/**
 * The executor's program with a scheduler of its own beside it, on the loopback of the same namespace, that serves the
 * view in TEST_VIEW. Without one, as an executor starts itself to clean up, it is the program alone.
 */
import type { View } from '../../src/fabric/view.ts';
import { FakeScheduler } from './fake-scheduler.ts';

const view = process.env['TEST_VIEW'];
if (view !== undefined) {
  const scheduler = new FakeScheduler();
  process.env['PATCHPANEL_SCHEDULER_URL'] = await scheduler.listen();
  scheduler.setView(JSON.parse(view) as View);
}
await import('../../executor/main.ts');
