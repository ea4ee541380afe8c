import { devClusterConfig } from '../../src/devcluster/options.ts';
import { Substrate } from '../../src/devcluster/substrate.ts';
import { createLogger } from '../../src/runtime/logger.ts';

/**
 * Builds the hosts of a cluster and a container that runs, says so in one line of JSON and waits to be killed.
 * Arguments: name, state directory.
 */
const [, , name = '', stateDir = ''] = process.argv;
const substrate = await Substrate.build(devClusterConfig({ name, stateDir, hosts: 1 }), {
  log: createLogger('holder', 'warn'),
  dockerHost: process.env['DOCKER_HOST'],
  progress: () => undefined,
});
const { engine, ledger } = substrate;
const agentId = `${name}-agent`;
await ledger.add({ kind: 'containers', socket: engine.socket, agentId });
const container = await engine.client.createContainer({
  Image: 'patchpanel/demo:1',
  Labels: { 'patchpanel.agent': agentId },
  HostConfig: { NetworkMode: 'none' },
});
await container.start();
const { State } = await container.inspect();
process.stdout.write(`${JSON.stringify({ containerPid: State.Pid, own: engine.own })}\n`);
setInterval(() => undefined, 60_000);
