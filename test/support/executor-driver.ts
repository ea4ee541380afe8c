/**
 * The executor's program with a scheduler of its own beside it, on the loopback of the same namespace, that serves the
 * view in TEST_VIEW.
 */
import type { View } from '../../src/fabric/view.ts';
import { FakeScheduler } from './fake-scheduler.ts';

const scheduler = new FakeScheduler();
process.env['PATCHPANEL_SCHEDULER_URL'] = await scheduler.listen();
scheduler.setView(JSON.parse(process.env['TEST_VIEW'] ?? '{}') as View);
await import('../../executor/main.ts');
