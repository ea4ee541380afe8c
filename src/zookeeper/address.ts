import { PatchpanelError } from '../runtime/errors.ts';
import type { ServerAddress } from './connection.ts';

const defaultPort = 2181;

/** Where a tree of ours is: `zk://user:password@host1:2181,host2/path`. */
export interface ZooKeeperAddress {
  readonly servers: readonly ServerAddress[];
  /** `user:password` */
  readonly credentials: string | undefined;
  /** Begins with a slash and does not end with one; empty for the root. */
  readonly path: string;
}

export const isZooKeeperAddress = (text: string): boolean => text.startsWith('zk://');

/**
 * Reads the address that Mesos and Marathon write the same way.
 * @throws PatchpanelError `invalid` that says what is wrong with it, without the password
 */
export function parseZooKeeperAddress(text: string): ZooKeeperAddress {
  const [, userInfo, hosts, path = ''] = /^zk:\/\/(?:([^/@]*)@)?([^/@]+)(\/.*)?$/.exec(text) ?? [];
  if (hosts === undefined) throw invalid('it must look like zk://host1:2181,host2:2181/path');
  if (userInfo !== undefined && !/^[^:]+:./.test(userInfo)) {
    throw invalid('what is before the @ must be user:password');
  }
  const clean = path.replace(/\/+$/, '');
  if (/\/(\.{0,2})(\/|$)/.test(clean)) throw invalid(`the path ${path} has a part that is empty or dots`);
  return {
    servers: hosts.split(',').map(serverAddress),
    credentials: userInfo === undefined ? undefined : decodeURIComponent(userInfo),
    path: clean,
  };
}

function serverAddress(text: string): ServerAddress {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw invalid(`"${text}" is no server: give host or host:port`);
  }
  return { host, port: number };
}

const invalid = (why: string): PatchpanelError =>
  new PatchpanelError('invalid', `this is not the address of a ZooKeeper tree: ${why}`);
