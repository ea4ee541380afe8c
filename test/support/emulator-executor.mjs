// A small executor for the emulator's tests: what a task does is the text in its data (run, finish, fail). It
// subscribes again when its agent was away and hands over what was not acknowledged.
import { randomUUID } from 'node:crypto';
import http from 'node:http';

const { MESOS_AGENT_ENDPOINT, MESOS_FRAMEWORK_ID, MESOS_EXECUTOR_ID } = process.env;
const [host, port] = MESOS_AGENT_ENDPOINT.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const ids = { framework_id: { value: MESOS_FRAMEWORK_ID }, executor_id: { value: MESOS_EXECUTOR_ID } };
const unacknowledged = new Map();
const unacknowledgedTasks = new Map();
/** What is done as soon as the agent is away. */
const whenAlone = [];

function post(body, options, onResponse, onError) {
  const bytes = Buffer.from(JSON.stringify({ ...ids, ...body }));
  const request = http.request(
    {
      host,
      port,
      method: 'POST',
      path: '/api/v1/executor',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json',
        'Content-Length': bytes.length,
      },
      ...options,
    },
    onResponse,
  );
  request.on('error', onError);
  request.end(bytes);
}

function update(taskId, state, more = {}) {
  const uuid = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64');
  const status = {
    task_id: { value: taskId },
    state,
    source: 'SOURCE_EXECUTOR',
    executor_id: ids.executor_id,
    timestamp: Date.now() / 1000,
    uuid,
    ...more,
  };
  unacknowledged.set(uuid, { status });
  post(
    { type: 'UPDATE', update: { status } },
    { agent },
    (response) => response.resume(),
    () => {},
  );
}

const running = {
  healthy: true,
  labels: { labels: [{ key: 'a', value: 'b' }] },
  container_status: {
    network_infos: [{ name: 'default', ip_addresses: [{ protocol: 'IPv4', ip_address: '10.1.0.5' }] }],
  },
};

function launch(task) {
  const taskId = task.task_id.value;
  unacknowledgedTasks.set(taskId, task);
  update(taskId, 'TASK_STARTING');
  update(taskId, 'TASK_RUNNING', running);
  const what = Buffer.from(task.data ?? '', 'base64').toString();
  const after = Number(process.env.TASK_MS ?? 50);
  const finish = () => update(taskId, 'TASK_FINISHED', { message: 'done' });
  if (what === 'finish' && process.env.FINISH_ALONE !== undefined) whenAlone.push(finish);
  else if (what === 'finish') setTimeout(finish, after);
  if (what === 'fail') {
    const failed = { message: 'exit 1', reason: 'REASON_COMMAND_EXECUTOR_FAILED' };
    setTimeout(() => update(taskId, 'TASK_FAILED', failed), after);
  }
  if (what === 'crash') process.exit(3);
}

function handle(event) {
  switch (event.type) {
    case 'LAUNCH':
      return launch(event.launch.task);
    case 'ACKNOWLEDGED':
      unacknowledgedTasks.delete(event.acknowledged.task_id.value);
      return unacknowledged.delete(event.acknowledged.uuid);
    case 'MESSAGE':
      return post(
        { type: 'MESSAGE', message: { data: Buffer.from('hello scheduler').toString('base64') } },
        { agent },
        (response) => response.resume(),
        () => {},
      );
    case 'KILL': {
      const taskId = event.kill.task_id.value;
      update(taskId, 'TASK_KILLING');
      return update(taskId, 'TASK_KILLED', { message: 'killed' });
    }
    case 'SHUTDOWN':
      if (process.env.STUBBORN === undefined) process.exit(0);
  }
}

function subscribe() {
  const again = () =>
    process.env.NEVER_RETURN === undefined ? setTimeout(subscribe, 100) : setTimeout(() => {}, 60_000);
  const body = {
    type: 'SUBSCRIBE',
    subscribe: {
      unacknowledged_tasks: [...unacknowledgedTasks.values()],
      unacknowledged_updates: [...unacknowledged.values()],
    },
  };
  post(
    body,
    {},
    (response) => {
      let text = Buffer.alloc(0);
      response.on('data', (chunk) => {
        text = Buffer.concat([text, chunk]);
        for (let line = text.indexOf(10); line >= 0; line = text.indexOf(10)) {
          const length = Number(text.subarray(0, line));
          if (text.length < line + 1 + length) return;
          const record = text.subarray(line + 1, line + 1 + length);
          text = text.subarray(line + 1 + length);
          handle(JSON.parse(record));
        }
      });
      response.on('error', () => {});
      response.on('close', () => {
        for (const finish of whenAlone.splice(0)) finish();
        again();
      });
    },
    again,
  );
}

console.log(JSON.stringify(process.env));
if (process.env.NEVER_SUBSCRIBE === undefined) subscribe();
else setInterval(() => {}, 1000);
