import * as fc from 'fast-check';

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}[a-z0-9]$/);
const text = fc.string({ maxLength: 12 });
const labels = fc.dictionary(name, text, { maxKeys: 3 });
const seconds = fc.integer({ min: 0, max: 600 });
const protocol = fc.constantFrom('tcp', 'udp', 'udp,tcp');
const part = fc.constantFrom(0, 0.25, 0.5, 1);
const optional = { requiredKeys: [] as [] };

const command = fc.oneof(
  fc.constant({}),
  fc.record({ cmd: fc.string({ minLength: 1, maxLength: 20 }) }),
  fc.record({ args: fc.array(text, { minLength: 1, maxLength: 3 }) }),
);

const uniquePorts = (port: fc.Arbitrary<Record<string, unknown>>) =>
  fc.uniqueArray(port, {
    maxLength: 3,
    comparator: (a, b) =>
      (a['name'] !== undefined && a['name'] === b['name']) || (a['port'] !== 0 && a['port'] === b['port']),
  });

const onHost = fc.record(
  {
    portDefinitions: uniquePorts(
      fc.record(
        { port: fc.oneof(fc.constant(0), fc.integer({ min: 20_001, max: 30_000 })), protocol, name, labels },
        { requiredKeys: ['port'] },
      ),
    ),
    container: fc.record({ docker: fc.record({ image: name, forcePullImage: fc.boolean() }) }),
    requirePorts: fc.boolean(),
  },
  { requiredKeys: ['container'] },
);

const onSwitch = fc.record({
  networks: fc.constant([{ mode: 'container' }]),
  container: fc.record(
    {
      type: fc.constant('DOCKER'),
      docker: fc.record({ image: name, privileged: fc.boolean() }, { requiredKeys: ['image'] }),
      volumes: fc.array(
        fc.record({
          containerPath: name.map((path) => `/${path}`),
          hostPath: name.map((path) => `/srv/${path}`),
          mode: fc.constantFrom('RO', 'RW'),
        }),
        { maxLength: 2 },
      ),
      portMappings: fc.uniqueArray(
        fc.record(
          {
            containerPort: fc.integer({ min: 1, max: 65_535 }),
            servicePort: fc.oneof(fc.constant(0), fc.integer({ min: 20_001, max: 30_000 })),
            protocol,
            name,
            labels,
          },
          { requiredKeys: ['containerPort'] },
        ),
        {
          maxLength: 3,
          comparator: (a, b) =>
            a.containerPort === b.containerPort || (a.name !== undefined && a.name === b.name),
        },
      ),
    },
    { requiredKeys: ['docker'] },
  ),
});

const healthCheck = fc.oneof(
  fc.record(
    {
      protocol: fc.constant('COMMAND'),
      command: fc.record({ value: fc.string({ minLength: 1, maxLength: 10 }) }),
      gracePeriodSeconds: seconds,
    },
    { requiredKeys: ['protocol', 'command'] },
  ),
  fc.record(
    {
      protocol: fc.constantFrom('HTTP', 'HTTPS', 'MESOS_HTTP'),
      port: fc.integer({ min: 1, max: 65_535 }),
      path: name.map((path) => `/${path}`),
      maxConsecutiveFailures: fc.integer({ min: 0, max: 5 }),
      ignoreHttp1xx: fc.boolean(),
    },
    { requiredKeys: ['protocol', 'port'] },
  ),
);

const common = fc
  .record(
    {
      instances: fc.integer({ min: 0, max: 4 }),
      cpus: fc.constantFrom(0.001, 0.1, 1.5),
      mem: fc.constantFrom(16, 64.5),
      disk: fc.constantFrom(0, 10),
      env: fc.dictionary(fc.stringMatching(/^[A-Z][A-Z_0-9]{0,8}$/), text, { maxKeys: 3 }),
      labels,
      constraints: fc.array(
        fc.constantFrom(
          ['hostname', 'UNIQUE'],
          ['rack', 'GROUP_BY', '3'],
          ['rack', 'GROUP_BY'],
          ['hostname', 'LIKE', 'web-.*'],
          ['zone', 'MAX_PER', '2'],
        ),
        { maxLength: 2 },
      ),
      healthChecks: fc.array(healthCheck, { maxLength: 1 }),
      backoffSeconds: seconds,
      backoffFactor: fc.constantFrom(1, 1.15, 2),
      maxLaunchDelaySeconds: seconds,
      upgradeStrategy: fc.record({ maximumOverCapacity: part, minimumHealthCapacity: part }),
      unreachableStrategy: fc.oneof(
        fc.constant('disabled'),
        seconds.map((value) => ({ inactiveAfterSeconds: value, expungeAfterSeconds: value + 5 })),
      ),
      killSelection: fc.constantFrom('YOUNGEST_FIRST', 'OLDEST_FIRST'),
      taskKillGracePeriodSeconds: seconds,
    },
    optional,
  )
  .chain((fields) => command.map((given) => ({ ...fields, ...given })));

/** Definitions without an id that the API accepts, in Marathon's JSON as people write it: most fields are left out. */
export const definitionArbitrary: fc.Arbitrary<Record<string, unknown>> = fc
  .oneof(onHost, onSwitch)
  .chain((placed) => common.map((fields) => ({ cpus: 0.1, mem: 32, ...fields, ...placed })));
