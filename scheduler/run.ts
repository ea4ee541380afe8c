import { fileURLToPath } from 'node:url';
import { MasterDetector } from '../src/mesos/master-detector.ts';
import { listedMasters, type MasterSource } from '../src/mesos/master-source.ts';
import { readMesosTls } from '../src/mesos/tls.ts';
import type { Logger, LogLevelControl } from '../src/runtime/logger.ts';
import { Scope } from '../src/runtime/scope.ts';
import { isZooKeeperAddress, parseZooKeeperAddress } from '../src/zookeeper/address.ts';
import { leadInTurn } from './among-others.ts';
import { printable, type Config } from './config.ts';
import { configuredNetworks } from './driver/configured-networks.ts';
import { readExecutorBundle } from './driver/executor-bundle.ts';
import { Secrets } from './driver/secrets.ts';
import { soleMandate } from './driver/mandate.ts';
import { FrontDoor } from './front-door.ts';
import { lead, type LeadOutcome, type Surroundings } from './lead.ts';
import { warnOfOpenFiles } from './secret-files.ts';
import { openSecurity, readCredentials, readTlsAuthority, readTlsIdentity } from './security.ts';
import { openEmbeddedStore } from './store/embedded-store.ts';

/** Why the scheduler ended. */
export type RunOutcome = LeadOutcome;

/**
 * Runs a scheduler until the signal fires or it cannot go on, and leaves the framework and its tasks as they are.
 * With --zk it leads when its turn comes, otherwise at once.
 * @throws what keeps it from starting
 */
export async function runScheduler(
  config: Config,
  log: Logger & LogLevelControl,
  signal: AbortSignal,
): Promise<RunOutcome> {
  log.info('starting', { config: printable(config) });
  await warnOfOpenFiles(config, log);
  const scope = new Scope(log);
  try {
    const identity = await readTlsIdentity(config);
    const around: Surroundings = {
      config,
      log,
      credentials: await readCredentials(config),
      authority: await readTlsAuthority(config),
      networks: await configuredNetworks(config.networksFile),
      bundle: await readExecutorBundle(config.executorManifest ?? builtManifest()),
      security: await openSecurity(config, log, scope),
      secrets: new Secrets({ directory: config.secretsDir, environment: process.env }),
      door: scope.own('addresses', new FrontDoor(config.listen, identity), (door) => door.close()),
      mesosTls: readMesosTls(process.env),
      masters: scope.own('search for masters', findMasters(config, log), (masters) => masters.close()),
    };
    if (config.zk !== undefined) return await leadInTurn(around, parseZooKeeperAddress(config.zk), signal);
    const store = await openEmbeddedStore(config.stateDir);
    const office = { store, mandate: soleMandate, abdicate: undefined, standIn: undefined };
    return await lead(around, office, signal);
  } finally {
    await scope.close();
  }
}

/** The Mesos masters: those that are listed, or those that announce themselves in ZooKeeper. */
function findMasters({ master, zkSessionTimeout }: Config, log: Logger): MasterSource {
  const [first = ''] = master;
  if (!isZooKeeperAddress(first)) return listedMasters(master);
  return new MasterDetector(parseZooKeeperAddress(first), zkSessionTimeout * 1000, log);
}

/** The manifest that the build puts beside this program. */
const builtManifest = (): string => fileURLToPath(new URL('executor/manifest.json', import.meta.url));
