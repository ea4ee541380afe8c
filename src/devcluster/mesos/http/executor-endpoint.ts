import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Agent } from '../core/agent.ts';
import { checkExecutorCall } from '../core/executor-call-check.ts';
import { acceptedEncoding, readCall } from './call-body.ts';
import { RecordStream } from './event-stream.ts';
import { send } from './exchange.ts';

/** `POST /api/v1/executor` of an agent. */
export async function handleExecutor(
  agent: Agent,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const read = await readCall(request, 'ExecutorCall');
  if ('refusal' in read) return send(response, read.refusal);
  const { call } = read;
  const problem = checkExecutorCall(call);
  if (problem !== undefined) {
    return send(response, { status: 400, body: `Failed to validate Executor::Call: ${problem}` });
  }
  const isSubscribe = call.type === 'SUBSCRIBE';
  const accepted = acceptedEncoding(isSubscribe ? request.headers.accept : undefined);
  if ('refusal' in accepted) return send(response, accepted.refusal);
  if (!isSubscribe && agent.isRecovering) {
    return send(response, { status: 503, body: 'Agent has not finished recovery' });
  }
  if (!agent.hasFramework(call.framework_id.value)) {
    return send(response, { status: 400, body: 'Framework cannot be found' });
  }
  const executor = agent.executor(call.framework_id.value, call.executor_id.value);
  if (executor === undefined) return send(response, { status: 400, body: 'Executor cannot be found' });
  if (isSubscribe) {
    const stream = new RecordStream(response, accepted.encoding, 'ExecutorEvent', {});
    response.once('close', () => agent.streamClosed(stream));
    agent.subscribe(executor, call, stream);
    return;
  }
  if (executor.state === 'registering') {
    return send(response, { status: 403, body: 'Executor is not subscribed' });
  }
  if (call.type === 'UNKNOWN') return send(response, { status: 501, body: 'Received UNKNOWN call' });
  agent.call(executor, call);
  send(response, { status: 202 });
}
