import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseConfigFile } from '../../src/runtime/config-file.ts';
import { run, tryRun } from '../../src/runtime/process.ts';
import { readExecutorConfig } from '../../executor/config.ts';
import { readSettings } from '../../scheduler/config-sources.ts';
import { exits } from '../../scheduler/exit-codes.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pp-machines-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

describe('systemd', () => {
  test.each(['patchpanel-scheduler', 'mesos-agent'])(
    'has nothing to say against %s.service',
    async (name) => {
      const unit = await readFile(`deploy/systemd/${name}.service`, 'utf8');
      // The programs are not on this machine; that they can be run is checked, too.
      const file = join(directory, `${name}.service`);
      await writeFile(file, unit.replaceAll(/^ExecStart=\S+/gm, `ExecStart=${process.execPath}`));
      const { exitCode, stderr } = await tryRun('systemd-analyze', ['verify', '--man=no', file], {
        timeoutMs: 30_000,
      });
      const about = stderr.split('\n').filter((line) => line.includes(name));
      expect([exitCode, about]).toEqual([0, []]);
    },
  );

  test('starts the scheduler again but where only a person can help', async () => {
    const unit = await readFile('deploy/systemd/patchpanel-scheduler.service', 'utf8');
    const [, codes] = /^RestartPreventExitStatus=(.*)$/m.exec(unit) ?? [];
    const hopeless = [exits.error, exits.corrupt, exits.removed, exits['bad-usage']];
    expect(codes).toBe(hopeless.map(({ code }) => code).join(' '));
  });
});

test('the Vagrantfile is Ruby without a warning', async () => {
  const { exitCode, stdout, stderr } = await tryRun('ruby', ['-wc', 'deploy/vagrant/Vagrantfile']);
  expect([exitCode, stdout, stderr]).toEqual([0, 'Syntax OK', '']);
});

type Arguments = readonly Readonly<Record<string, unknown>>[];
type State = Readonly<Record<string, Arguments>>;

interface Rendered {
  readonly pillar: {
    readonly hosts: Readonly<Record<string, string>>;
    readonly mesos: { readonly master: string };
  };
  readonly states: Readonly<Record<string, Readonly<Record<string, State | readonly string[]>>>>;
}

const render = async (machine: string): Promise<Rendered> =>
  JSON.parse(await run('python3', ['test/support/render-states.py', 'deploy', machine])) as Rendered;

/** What a state file declares, without what it includes: [id, function, arguments]. */
function declared(file: Rendered['states'][string]): [string, string, Arguments][] {
  return Object.entries(file).flatMap(([id, functions]) =>
    id === 'include'
      ? []
      : Object.entries(functions as State).map(([name, given]): [string, string, Arguments] => [
          id,
          name,
          given,
        ]),
  );
}

const files = (states: Rendered['states']) => Object.entries(states).filter(([name]) => name !== 'top.sls');

/** Every requisite, include and file that a state names. */
const requisites = ['require', 'watch', 'onchanges'] as const;

describe('the Salt states', () => {
  test('name only states, files and sources that there are', async () => {
    const { states } = await render('pp1');
    const all = files(states).flatMap(([, content]) => declared(content));
    const known = new Set(all.map(([id, name]) => `${name.split('.')[0]} ${id}`));
    for (const [id, name, given] of all) {
      expect(name).toMatch(/^(cmd|file|kmod|pkg|service|user)\.[a-z]+$/);
      const merged: Readonly<Record<string, unknown>> = Object.assign({}, ...given);
      for (const kind of requisites) {
        for (const wanted of (merged[kind] ?? []) as Record<string, string>[]) {
          const [[module, of] = ['', '']] = Object.entries(wanted);
          expect([id, known.has(`${module} ${of}`) && `${module} ${of}`]).toEqual([id, `${module} ${of}`]);
        }
      }
      const { source } = merged;
      if (typeof source === 'string' && source.startsWith('salt://')) {
        const path = source.slice('salt://'.length);
        expect([path, ['deploy/salt/states', 'deploy'].some((root) => existsSync(join(root, path)))]).toEqual(
          [path, true],
        );
      }
    }
    const named = files(states).map(([name]) => name.replace(/\.sls$/, '').replaceAll('/', '.'));
    const base = states['top.sls']!['base'] as unknown as Record<string, string[]>;
    const included = files(states).flatMap(([, content]) => (content['include'] ?? []) as readonly string[]);
    for (const name of [...Object.values(base).flat(), ...included]) expect(named).toContain(name);
  });

  test('give scheduler and executors settings that they take, and every machine its address', async () => {
    const { pillar, states } = await render('pp2');
    const contentOf = (file: string, id: string): string => {
      const [, , given] = declared(states[file]!).find(([found]) => found === id)!;
      return (Object.assign({}, ...given) as { contents: string[] }).contents.join('\n');
    };
    const settings = join(directory, 'scheduler.yaml');
    await writeFile(settings, contentOf('patchpanel/scheduler.sls', '/etc/patchpanel/scheduler.yaml'));
    expect(readSettings({ config: settings }, {}).config.master).toEqual(['192.168.56.11:5050']);
    const executor = contentOf('patchpanel/host.sls', '/etc/patchpanel/executor.yaml');
    expect(readExecutorConfig({}, () => executor).underlayIp).toBe('192.168.56.12');
    const vagrant = readFileSync('deploy/vagrant/Vagrantfile', 'utf8');
    for (const [name, address] of Object.entries(pillar.hosts))
      expect(vagrant).toContain(`'${name}' => '${address}'`);
    const { file_roots: roots } = parseConfigFile(
      'minion.yaml',
      readFileSync('deploy/salt/minion.yaml', 'utf8'),
    );
    expect(roots).toEqual({ base: ['/srv/deploy/salt/states', '/srv/deploy'] });
  });
});
