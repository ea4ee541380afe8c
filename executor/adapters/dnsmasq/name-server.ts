import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  nameServerConfig,
  otherSide,
  serviceServerConfig,
  type ServiceSide,
} from '../../core/fabric/name-server-config.ts';
import type { ServiceTarget } from '../../core/fabric/name-records.ts';
import type { KeptProgram } from './keeper.ts';
import { readIfThere, writePublic } from './public-files.ts';
import { DnsmasqUnit } from './unit.ts';

export interface NameServerPlace extends Pick<KeptProgram, 'cgroupExits' | 'environment'> {
  /** Of this host alone; made when needed, removed with the last server. */
  readonly directory: string;
  /** The host's resolvers, in the form of /etc/resolv.conf. */
  readonly resolvers: string;
}

/** The name server of a host, the server of services behind it and the server of leases beside it: files and processes that outlive this object. */
export class DnsmasqNameServer {
  readonly #directory: string;
  readonly #settings: string;
  readonly #names: DnsmasqUnit;
  readonly #services: Readonly<Record<ServiceSide, DnsmasqUnit>>;
  readonly #leases: DnsmasqUnit;

  constructor({ directory, resolvers, ...kept }: NameServerPlace) {
    this.#directory = directory;
    const unit = (name: string) => new DnsmasqUnit(path.join(directory, name), kept);
    this.#names = unit('names');
    this.#services = { a: unit('services-a'), b: unit('services-b') };
    this.#leases = unit('leases');
    this.#settings = nameServerConfig({ hosts: this.#hosts, servers: this.#servers, resolvers });
  }

  /** The files with addresses that are there, by name. */
  async hosts(): Promise<ReadonlyMap<string, string>> {
    await this.#makeDirectories();
    const names = await readdir(this.#hosts);
    const texts = names.map(
      async (name) => [name, await readFile(path.join(this.#hosts, name), 'utf8')] as const,
    );
    return new Map(await Promise.all(texts));
  }

  /** Writes or (undefined) removes files with addresses; answers follow within milliseconds. */
  async putHosts(changes: ReadonlyMap<string, string | undefined>): Promise<void> {
    for (const [name, text] of changes) {
      const file = path.join(this.#hosts, name);
      // Drafts are made elsewhere: in this directory they would be read.
      if (text === undefined) await rm(file, { force: true });
      else await writePublic(file, text, this.#directory);
    }
  }

  /** What putServers() wrote last; empty when nothing was. */
  async servers(): Promise<string> {
    return (await readIfThere(this.#servers)) ?? '';
  }

  /** Says who is asked for what. Questions under way are answered as before. */
  async putServers(text: string): Promise<void> {
    await this.#makeDirectories();
    await writePublic(this.#servers, text);
    await this.#names.reload();
  }

  /** Makes the name server run; files have to be there before. @throws PatchpanelError `external` */
  ensureNames(): Promise<void> {
    return this.#names.ensure(this.#settings);
  }

  /** Whether these services are answered at that place already. */
  hasServices(services: readonly ServiceTarget[], side: ServiceSide): Promise<boolean> {
    return this.#services[side].has(serviceServerConfig(services, side));
  }

  /** Makes services be answered at a place, and not as before any more. @throws PatchpanelError `external` */
  async ensureServices(services: readonly ServiceTarget[], side: ServiceSide): Promise<void> {
    await this.#makeDirectories();
    await this.#services[side].ensure(serviceServerConfig(services, side));
  }

  /** No services are answered any more, at either place. */
  async endServices(): Promise<void> {
    await Promise.all(['a' as const, otherSide('a')].map((side) => this.#services[side].end()));
  }

  /**
   * Leases addresses as these settings say; undefined: none. All of them are in the settings, so nothing is lost with a
   * server that is started anew: clients ask again until they are answered.
   * @throws PatchpanelError `external`
   */
  async putLeases(settings: string | undefined): Promise<void> {
    if (settings === undefined) await this.#leases.end();
    else await this.#leases.ensure(settings);
  }

  /** Ends every process and removes every file; fine when there are none. */
  async remove(): Promise<void> {
    await this.#names.end();
    await this.endServices();
    await this.#leases.end();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #hosts(): string {
    return path.join(this.#directory, 'hosts');
  }

  get #servers(): string {
    return path.join(this.#directory, 'servers');
  }

  async #makeDirectories(): Promise<void> {
    await mkdir(this.#hosts, { recursive: true });
    for (const each of [this.#directory, this.#hosts]) await chmod(each, 0o755);
  }
}
