import { readFile } from 'node:fs/promises';
import type { Credentials } from '../src/mesos/credentials.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { messageOf, PatchpanelError } from '../src/runtime/errors.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Scope } from '../src/runtime/scope.ts';
import { noAuditLog, openAuditLog } from './api/security/audit.ts';
import type { Authenticator, Security } from './api/security/guard.ts';
import { SingleUser } from './api/security/single-user.ts';
import { UserDirectory } from './api/security/user-directory.ts';
import type { Config } from './config.ts';
import type { TlsIdentity } from './listeners.ts';

/**
 * Who may use the API, from the configuration.
 * @throws PatchpanelError when the file of users cannot be used
 */
export async function openSecurity(
  config: Config,
  log: Logger,
  scope: Scope,
): Promise<Omit<Security, 'hostTokens'>> {
  const { auditFile } = config;
  const users = await openUsers(config, log);
  if (users === undefined && config.listen.some(({ host }) => !isLoopback(host))) {
    log.warn('the API is open to everybody who can reach it: give --users-file or --http-credentials');
  }
  const audit =
    auditFile === undefined
      ? noAuditLog
      : scope.own('audit log', openAuditLog(auditFile), (opened) => opened.close());
  return {
    users,
    audit,
    requestsPerSecond: config.rateLimit,
  };
}

async function openUsers(
  { usersFile, httpCredentials }: Config,
  log: Logger,
): Promise<Authenticator | undefined> {
  if (usersFile !== undefined && httpCredentials !== undefined) {
    throw new PatchpanelError('invalid', 'give --users-file or --http-credentials, not both');
  }
  if (httpCredentials !== undefined) return new SingleUser(httpCredentials);
  return usersFile === undefined ? undefined : UserDirectory.open(usersFile, systemClock, log);
}

/** By what the framework shows Mesos who it is. @throws PatchpanelError `invalid` */
export async function readCredentials(config: Config): Promise<Credentials | undefined> {
  const { principal, secret, secretFile } = config;
  if (secret === undefined && secretFile === undefined) return undefined;
  if (principal === undefined) {
    throw new PatchpanelError('invalid', '--secret and --secret-file are of no use without --principal');
  }
  const text = secretFile === undefined ? secret : (await contentOf('--secret-file', secretFile)).trimEnd();
  return { kind: 'basic', principal, secret: text ?? '' };
}

/** Certificate and key of the API. @throws PatchpanelError `invalid` */
export async function readTlsIdentity({ tlsCert, tlsKey }: Config): Promise<TlsIdentity | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new PatchpanelError('invalid', '--tls-cert and --tls-key are only of use together');
  }
  return { cert: await contentOf('--tls-cert', tlsCert), key: await contentOf('--tls-key', tlsKey) };
}

/** The authority that executors are to trust. @throws PatchpanelError `invalid` */
export const readTlsAuthority = async ({ tlsCa }: Config): Promise<string | undefined> =>
  tlsCa === undefined ? undefined : contentOf('--tls-ca', tlsCa);

async function contentOf(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new PatchpanelError('invalid', `${flag}: cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}

const isLoopback = (host: string): boolean => /^(127\.|::1$|localhost$)/.test(host);
