import { expect, test } from '@jest/globals';
import { cgroupExits } from '../../executor/core/tasks/cgroup-escape.ts';
import { leaseServerConfig } from '../../executor/core/fabric/lease-server-config.ts';
import { nameRecords, type ServiceTarget } from '../../executor/core/fabric/name-records.ts';
import {
  nameServerConfig,
  serversText,
  serviceServerConfig,
  sideOf,
} from '../../executor/core/fabric/name-server-config.ts';
import { Names, type NameServer } from '../../executor/fabric/names.ts';
import type { View } from '../../src/fabric/view.ts';
import { appId } from '../../src/model/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';
import { ManualClock } from '../support/manual-clock.ts';

const here = host('here', '172.16.0.1');
const there = host('there', '172.16.0.2');
const red = network('red', 7, '10.1.0.0/16');
const httpPort = { number: 80, protocol: 'tcp', name: 'http' } as const;
const http = [httpPort];
const web0 = endpoint({ app: '/web', network: red, host: here, ip: '10.1.0.5', ports: http, serving: true });
const web1 = endpoint({ app: '/web', index: 1, network: red, host: there, ip: '10.1.0.6', ports: http });
const db = endpoint({ app: '/shop/db', network: red, host: there, ip: '10.1.0.9', serving: true });
const fabric = view([here, there], [red], [web0, web1, db]);

test('slots are named as long as they are there, an app and its services by what serves', () => {
  const { hosts, services } = nameRecords(undefined, fabric);
  expect(hosts).toEqual(
    new Map([
      [
        'web',
        '10.1.0.5 0.web.patchpanel.internal web.patchpanel.internal\n10.1.0.6 1.web.patchpanel.internal\n',
      ],
      ['shop_db', '10.1.0.9 0.db.shop.patchpanel.internal db.shop.patchpanel.internal\n'],
    ]),
  );
  expect([...services.values()].flat()).toEqual([
    {
      name: '_http._tcp.web.patchpanel.internal',
      zone: '_tcp.web.patchpanel.internal',
      target: '0.web.patchpanel.internal',
      port: 80,
    },
  ]);
});

test('two incarnations of a slot are one name; of another address only the active one is named', () => {
  const standby = { ...web0, epoch: 2, state: 'standby' as const, serving: false };
  const moved = { ...standby, ip: '10.1.0.77' };
  const text = (...endpoints: View['endpoints']) =>
    nameRecords(undefined, view([here], [red], endpoints)).hosts.get('web');
  const line = '10.1.0.5 0.web.patchpanel.internal web.patchpanel.internal\n';
  expect(text(web0, standby)).toBe(line);
  expect(text(standby, web0)).toBe(line);
  expect(text(web0, moved)).toBe(line);
  expect(text(standby)).toBe('10.1.0.5 0.web.patchpanel.internal\n');
});

test('only the files of apps that changed are made anew, and what names do not depend on changes nothing', () => {
  const before = nameRecords(undefined, fabric);
  const ready = { ...web1, serving: true };
  const after = nameRecords(before, { ...fabric, endpoints: [web0, ready, db] });
  expect(after.hosts.get('web')).toContain('10.1.0.6 1.web.patchpanel.internal web.patchpanel.internal');
  expect(after.hosts.get('shop_db')).toBe(before.hosts.get('shop_db'));
  expect(after.services.get(appId('/web'))).toHaveLength(2);
  const published = { ...red, publications: [] };
  const moved = nameRecords(after, view([here], [published], [web0, { ...ready, host: here.id }, db]));
  expect(moved.services).toBe(after.services);
  expect(moved.hosts).toBe(after.hosts);
  const gone = nameRecords(after, view([here], [red], [db]));
  expect([...gone.hosts.keys()]).toEqual(['shop_db']);
  expect(gone.services.size).toBe(0);
  const renamed = nameRecords(after, { ...fabric, networks: [{ ...red, domain: 'example.internal' }] });
  expect(renamed.hosts.get('shop_db')).toBe('10.1.0.9 0.db.shop.example.internal db.shop.example.internal\n');
});

test('what is no name never gets into a configuration', () => {
  const bad = { ...db, hostname: 'x\nserver=/com/6.6.6.6' };
  const port = { ...web0, ports: [{ ...httpPort, name: 'h,evil' }] };
  const records = nameRecords(undefined, view([here], [red], [bad, port]));
  expect(records.hosts.has('shop_db')).toBe(false);
  expect(records.services.size).toBe(0);
  const worse = { ...red, domain: 'a\nb' };
  expect(nameRecords(undefined, view([here], [worse], [web0])).hosts.size).toBe(0);
  expect(serversText([worse], [], 'a')).toBe('server=/1.10.in-addr.arpa/\n');
});

test('names and addresses of ours are never asked of others, services of the place that has them', () => {
  const services = [...nameRecords(undefined, fabric).services.values()].flat();
  const text = serversText(fabric.networks, services, 'b');
  expect(text).toBe(
    'server=/patchpanel.internal/\nserver=/1.10.in-addr.arpa/\n' +
      'server=/_tcp.web.patchpanel.internal/127.80.80.2#10053\n',
  );
  expect(sideOf(text)).toBe('b');
  expect(sideOf('')).toBe('a');
  const config = serviceServerConfig(services, 'b').split('\n');
  expect(config).toContain('listen-address=127.80.80.2');
  expect(config).toContain('local=/_tcp.web.patchpanel.internal/');
  expect(config).toContain('srv-host=_http._tcp.web.patchpanel.internal,0.web.patchpanel.internal,80');
  const files = { hosts: '/run/x/hosts', servers: '/run/x/servers', resolvers: '/etc/resolv.conf' };
  expect(nameServerConfig(files).split('\n')).toEqual(
    expect.arrayContaining(['interface=ppg*', 'except-interface=lo', 'hostsdir=/run/x/hosts', 'local-ttl=1']),
  );
});

const machine = {
  ...endpoint({ app: '/x', network: red, host: here, ip: '10.1.0.20' }),
  app: appId('red:vm1'),
  hostname: 'vm1',
  mac: '52:54:00:12:34:56',
  device: 'tap0',
};

test('machines of this host get leases with all that they need, and nobody else does', () => {
  const shown = view([here, there], [red], [web0, machine, { ...db, device: 'tap1' }]);
  const lines = leaseServerConfig(shown, here.id)?.split('\n') ?? [];
  expect(lines).toEqual(
    expect.arrayContaining([
      'port=0',
      'interface=ppg7',
      'dhcp-ignore=tag:!known',
      'dhcp-range=set:n7,10.1.0.0,static,255.255.0.0,3600',
      'dhcp-option=tag:n7,option:router,10.1.0.1',
      'dhcp-option=tag:n7,option:dns-server,10.1.0.2',
      'dhcp-option=tag:n7,option:domain-name,patchpanel.internal',
      'dhcp-option-force=tag:n7,option:mtu,1450',
      'dhcp-host=52:54:00:12:34:56,10.1.0.20,vm1,3600',
    ]),
  );
  expect(lines.filter((line) => line.startsWith('dhcp-host='))).toHaveLength(1);
  expect(leaseServerConfig(view([here], [red], [web0]), here.id)).toBeUndefined();
  const { hosts } = nameRecords(undefined, shown);
  expect(hosts.get('red:vm1')).toBe('10.1.0.20 vm1.patchpanel.internal\n');
});

test('leases follow the machines of this host alone', async () => {
  const server = new NotedServer();
  const { names } = namesOn(server);
  await names.follow(fabric);
  expect(server.leases).toBeUndefined();
  await names.follow({ ...fabric, endpoints: [...fabric.endpoints, machine] });
  expect(server.leases).toContain('dhcp-host=52:54:00:12:34:56');
  await names.follow({ ...fabric, endpoints: [...fabric.endpoints, { ...machine, host: there.id }] });
  expect(server.leases).toBeUndefined();
  await names.stop();
});

test('a keeper leaves exactly the cgroups that were made for the executor', () => {
  const v1 = '4:memory:/mesos/abc\n3:cpu,cpuacct:/mesos/abc\n1:name=systemd:/mesos_executors.slice\n';
  expect(cgroupExits(v1, 'abc')).toEqual([
    '/sys/fs/cgroup/memory/cgroup.procs',
    '/sys/fs/cgroup/cpu,cpuacct/cgroup.procs',
  ]);
  expect(cgroupExits('0::/mesos/abc/leaf\n', 'abc')).toEqual(['/sys/fs/cgroup/cgroup.procs']);
  expect(cgroupExits('0::/system.slice/mesos.service\n', 'abc')).toEqual([]);
  expect(cgroupExits(v1, '')).toEqual([]);
});

/** A server that notes what is asked of it, and fails as often as it is told. */
class NotedServer implements NameServer {
  readonly calls: string[] = [];
  readonly files = new Map<string, string>();
  text = '';
  failures = 0;

  hosts = async () => new Map(this.files);
  putHosts = async (changes: ReadonlyMap<string, string | undefined>): Promise<void> => {
    this.#note(
      `hosts ${[...changes].map(([file, text]) => (text === undefined ? `-${file}` : file)).join()}`,
    );
    for (const [file, text] of changes) {
      if (text === undefined) this.files.delete(file);
      else this.files.set(file, text);
    }
  };
  servers = async () => this.text;
  putServers = async (text: string): Promise<void> => {
    this.#note(`servers ${sideOf(text)}`);
    this.text = text;
  };
  ensureNames = async (): Promise<void> => {};
  hasServices = async (services: readonly ServiceTarget[], side: string) => {
    return this.running.get(side) === services.map(({ target }) => target).join();
  };
  readonly running = new Map<string, string>();
  ensureServices = async (services: readonly ServiceTarget[], side: string): Promise<void> => {
    const targets = services.map(({ target }) => target).join();
    if (this.running.get(side) === targets) return;
    this.#note(`services ${side}`);
    this.running.set(side, targets);
  };
  endServices = async (): Promise<void> => this.running.clear();
  leases: string | undefined;
  putLeases = async (settings: string | undefined): Promise<void> => {
    this.leases = settings;
  };
  remove = async (): Promise<void> => this.#note('remove');

  #note(call: string): void {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('the server refuses');
    }
    this.calls.push(call);
  }
}

function namesOn(server: NotedServer) {
  const clock = new ManualClock();
  const problems: (string | undefined)[] = [];
  const names = new Names({
    agentId: here.id,
    server,
    clock,
    random: () => 0,
    log: createLogger('test', 'silent'),
    onProblem: (problem) => void problems.push(problem),
  });
  const settled = async (reached: () => boolean) => {
    for (let i = 0; i < 1_000 && !reached(); i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(50);
    }
    expect(reached()).toBe(true);
  };
  return { names, clock, problems, settled };
}

test('a new set of services is served beside the old one before it is asked, and not too often', async () => {
  const server = new NotedServer();
  const { names, settled } = namesOn(server);
  await names.follow(fabric);
  expect(server.calls).toEqual(['hosts web,shop_db', 'services b', 'servers b']);
  await names.follow({ ...fabric, endpoints: [...fabric.endpoints] });
  expect(server.calls).toHaveLength(3);
  const ready = { ...web1, serving: true };
  await names.follow({ ...fabric, endpoints: [web0, ready, db] });
  expect(server.calls.slice(3)).toEqual(['hosts web']);
  await settled(() => server.calls.length === 6);
  expect(server.calls.slice(4)).toEqual(['services a', 'servers a']);
  expect(server.running.get('b')).toBe('0.web.patchpanel.internal');
  await names.follow(undefined);
  await names.follow(undefined);
  expect(server.calls.slice(6)).toEqual(['remove']);
  await names.stop();
});

test('what an earlier executor left is taken over as it is, with what is wrong of it put right', async () => {
  const server = new NotedServer();
  const first = namesOn(server).names;
  await first.follow(fabric);
  await first.stop();
  server.files.set('stale', '10.1.0.99 stale.patchpanel.internal\n');
  const { names } = namesOn(server);
  await names.follow(fabric);
  expect(server.calls.slice(3)).toEqual(['hosts -stale']);
  await names.stop();
});

test('a server that fails is told of, waits for nobody, and is tried again', async () => {
  const server = new NotedServer();
  server.failures = 1;
  const { names, problems, settled } = namesOn(server);
  await names.follow(fabric);
  expect(problems).toEqual(['names are not answered as they should: the server refuses']);
  await settled(() => problems.length > 1);
  expect(problems.at(-1)).toBeUndefined();
  expect(server.calls).toEqual(['hosts web,shop_db', 'services b', 'servers b']);
  await names.stop();
});
