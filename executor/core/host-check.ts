/** What was found on a machine that is to be a host; absent: it could not be found out, `problem` says why. */
export interface HostFindings {
  readonly isRoot: boolean;
  readonly docker: Found<{
    readonly version: string;
    readonly cgroupDriver: string;
    readonly cgroupVersion: string;
  }>;
  readonly openVswitch: Found<{ readonly version: string; readonly datapaths: readonly string[] }>;
  /** Whether the kernel has Open vSwitch's datapath loaded. */
  readonly hasKernelDatapath: boolean;
  /** Which of them are on the PATH. */
  readonly programs: ReadonlySet<string>;
  readonly underlay: Found<{ readonly ip: string; readonly device: string; readonly mtu: number }>;
  /** The problem with writing to the state directory, if there is one. */
  readonly stateDirProblem: string | undefined;
}

export type Found<T> = { readonly value: T } | { readonly problem: string };

/** The executor's settings that the checks depend on. */
export interface HostExpectations {
  readonly datapath: 'auto' | 'system' | 'netdev';
  readonly stateDir: string;
  readonly ovsRunDir: string;
  readonly dockerHost: string;
}

/** One line of the report. `fail`: no task will run; `warn`: something is weaker than it could be. */
export interface Check {
  readonly what: string;
  readonly level: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do, where it is not ok. */
  readonly remedy?: string;
}

/** Programs that an executor starts, with what each is for and whether tasks run without it. */
const programs = [
  { name: 'ip', packaged: 'iproute2', use: 'links and addresses of containers', level: 'fail' },
  { name: 'nsenter', packaged: 'util-linux', use: 'namespaces of containers', level: 'fail' },
  { name: 'flock', packaged: 'util-linux', use: 'one executor at a time', level: 'fail' },
  { name: 'ovs-ofctl', packaged: 'openvswitch-switch', use: 'flows', level: 'fail' },
  { name: 'ovs-appctl', packaged: 'openvswitch-switch', use: 'flows in the datapath', level: 'fail' },
  { name: 'ethtool', packaged: 'ethtool', use: 'checksums on the userspace datapath', level: 'fail' },
  {
    name: 'setsid',
    packaged: 'util-linux',
    use: 'the name server, which outlives executors',
    level: 'warn',
  },
  { name: 'dnsmasq', packaged: 'dnsmasq-base', use: 'names of containers', level: 'warn' },
  { name: 'nft', packaged: 'nftables', use: 'NAT and published ports', level: 'warn' },
] as const;

/** The programs whose presence has to be found out. */
export const neededPrograms: readonly string[] = programs.map(({ name }) => name);

const oldestDocker = [20, 10] as const;
/** Conjunction of what the flows use; 2.13 has it all, 3.1 was tried. */
const oldestOpenVswitch = [2, 13] as const;
/** What a tunnel adds to a frame, and the frame that containers should be able to send. */
const overhead = 50;
const usualMtu = 1500;

/** Judges the findings, the most basic first. Pure. */
export function checkHost(found: HostFindings, expected: HostExpectations): readonly Check[] {
  return [
    checkRoot(found),
    checkDocker(found, expected),
    checkOpenVswitch(found, expected),
    checkDatapath(found, expected),
    ...programs.map((program) => checkProgram(program, found)),
    checkUnderlay(found),
    checkStateDir(found, expected),
  ];
}

function checkRoot({ isRoot }: HostFindings): Check {
  if (isRoot) return { what: 'root', level: 'ok', found: 'yes' };
  return {
    what: 'root',
    level: 'fail',
    found: 'no',
    remedy: 'run this as root, and let executors run as root (--user of the scheduler)',
  };
}

function checkDocker({ docker }: HostFindings, { dockerHost }: HostExpectations): Check {
  const what = 'Docker Engine';
  if ('problem' in docker) {
    return {
      what,
      level: 'fail',
      found: docker.problem,
      remedy: `install docker.io and start it, or name its socket (DOCKER_HOST, now ${dockerHost})`,
    };
  }
  const { version, cgroupDriver, cgroupVersion } = docker.value;
  const text = `${version}, cgroups ${cgroupVersion} by ${cgroupDriver}`;
  if (isOlder(version, oldestDocker)) {
    return {
      what,
      level: 'warn',
      found: text,
      remedy: `older than ${oldestDocker.join('.')}, which was tried`,
    };
  }
  return { what, level: 'ok', found: text };
}

function checkOpenVswitch({ openVswitch }: HostFindings, { ovsRunDir }: HostExpectations): Check {
  const what = 'Open vSwitch';
  if ('problem' in openVswitch) {
    return {
      what,
      level: 'fail',
      found: openVswitch.problem,
      remedy: `install openvswitch-switch and start it, or name the folder of its sockets (OVS_RUNDIR, now ${ovsRunDir})`,
    };
  }
  const { version } = openVswitch.value;
  if (isOlder(version, oldestOpenVswitch)) {
    return {
      what,
      level: 'fail',
      found: version,
      remedy: `older than ${oldestOpenVswitch.join('.')}: its flows lack what handovers need`,
    };
  }
  return { what, level: 'ok', found: version };
}

function checkDatapath(
  { openVswitch, hasKernelDatapath }: HostFindings,
  { datapath }: HostExpectations,
): Check {
  const what = 'datapath';
  const offered = 'value' in openVswitch ? openVswitch.value.datapaths : [];
  const isKernel = datapath === 'system' || (datapath === 'auto' && hasKernelDatapath);
  if (isKernel && hasKernelDatapath) return { what, level: 'ok', found: 'system (kernel module)' };
  if (isKernel) {
    return {
      what,
      level: 'fail',
      found: 'no kernel module',
      remedy: 'modprobe openvswitch, or set datapath: netdev',
    };
  }
  if (!offered.includes('netdev')) {
    return {
      what,
      level: 'fail',
      found: offered.join(', ') || 'none',
      remedy: 'load the kernel module openvswitch',
    };
  }
  return {
    what,
    level: 'warn',
    found: 'netdev (userspace)',
    remedy: 'it works, and is slower and costs CPU: load the kernel module openvswitch where there is one',
  };
}

function checkProgram({ name, packaged, use, level }: (typeof programs)[number], found: HostFindings): Check {
  if (found.programs.has(name)) return { what: name, level: 'ok', found: 'there' };
  return { what: name, level, found: 'missing', remedy: `install ${packaged}, for ${use}` };
}

function checkUnderlay({ underlay }: HostFindings): Check {
  const what = 'underlay';
  if ('problem' in underlay) {
    return {
      what,
      level: 'fail',
      found: underlay.problem,
      remedy: 'set underlayIp (PATCHPANEL_UNDERLAY_IP)',
    };
  }
  const { ip, device, mtu } = underlay.value;
  const text = `${ip} on ${device}, MTU ${mtu}: containers get ${mtu - overhead}`;
  if (mtu >= usualMtu + overhead) return { what, level: 'ok', found: text };
  return {
    what,
    level: 'warn',
    found: text,
    remedy: `an MTU of ${usualMtu + overhead} or more between the hosts gives containers the usual ${usualMtu}`,
  };
}

function checkStateDir({ stateDirProblem }: HostFindings, { stateDir }: HostExpectations): Check {
  const what = 'state directory';
  if (stateDirProblem === undefined) return { what, level: 'ok', found: stateDir };
  return {
    what,
    level: 'fail',
    found: stateDirProblem,
    remedy: 'make it writable, or name another (PATCHPANEL_STATE_DIR)',
  };
}

/** Whether `3.1.0` or `20.10.24+dfsg1` is before a version; what is no version is not. */
function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, foundMajor, foundMinor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (foundMajor === undefined) return false;
  return Number(foundMajor) < major || (Number(foundMajor) === major && Number(foundMinor) < minor);
}
