import { writeFile } from 'node:fs/promises';
import { codeOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import { runProgram, tryProgram } from '../program.ts';
import { hostLinkLines, SANDBOX_INTERFACE, sandboxLinkLines, type LinkWish } from '../../core/fabric/link.ts';

const TIMEOUT_MS = 5_000;
/** Link group that only devices about to be deleted are in. */
const DOOMED_GROUP = 0x70_70_64;

/**
 * Makes veth pairs, their inner ends already inside the sandboxes, named and with their MACs. Gives the error of each
 * that could not be made at its place; a part of it may be left then.
 * @throws PatchpanelError `external`, `deadline` when ip cannot be run at all
 */
export async function createVeths(
  wishes: readonly LinkWish[],
): Promise<readonly (PatchpanelError | undefined)[]> {
  const commands = wishes.map(hostLinkLines);
  const result = await tryProgram('ip', ['-force', '-batch', '-'], lines(commands.flat()), TIMEOUT_MS);
  await Promise.all(wishes.map(({ veth }) => deafen(veth)));
  const failures = batchFailures(result.stderr);
  let line = 0;
  return wishes.map((wish, index) => {
    const own = commands[index]!.map(() => failures.get((line += 1))).find((words) => words !== undefined);
    return own === undefined
      ? undefined
      : new PatchpanelError('external', `ip could not make ${wish.veth}: ${own}`);
  });
}

/**
 * Keeps the host's own kernel from taking what comes in at a device. On the userspace datapath it sees every frame beside
 * Open vSwitch, and a container could reach the host's addresses past the switch by naming the device's MAC. No route leads
 * back through the device, so strict reverse path filtering refuses all of it (kernel documentation, ip-sysctl).
 */
async function deafen(device: string): Promise<void> {
  try {
    await writeFile(`/proc/sys/net/ipv4/conf/${device}/rp_filter`, '1');
  } catch (error) {
    // It was not made: its own error tells why.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/**
 * Addresses and routes inside sandboxes, all by one program of ours: to fork costs a large process like this one more than all
 * that is done then. Gives the error of each sandbox that could not be configured at its place.
 * @param plainFrames true on the userspace datapath, which cannot carry frames whose checksum was left to the device
 * @throws PatchpanelError `external`, `deadline` when it cannot be done at all
 */
export async function configureSandboxes(
  wishes: readonly LinkWish[],
  plainFrames: boolean,
): Promise<readonly (PatchpanelError | undefined)[]> {
  const sections = wishes.flatMap((wish) => {
    const commands = sandboxLinkLines(wish);
    return [`${wish.sandboxPid} ${commands.length}`, ...commands];
  });
  const args = ['-c', configureScript, 'sh', configureOneScript, plainFrames ? SANDBOX_INTERFACE : ''];
  const problems = await runProgram('sh', args, lines(sections), TIMEOUT_MS);
  const byPid = new Map(problems.split('\n').map((line) => split(line)));
  return wishes.map(({ sandboxPid, ip }) => {
    const words = byPid.get(String(sandboxPid));
    if (words === undefined) return undefined;
    return new PatchpanelError('external', `the sandbox of ${ip} could not be configured: ${words}`);
  });
}

/**
 * For each sandbox on its input, at the same time: a line with a process in it and the number of commands that follow for
 * `ip -batch`. Says a line with the process and what went wrong for each that failed.
 */
const configureScript = `
set -f
while read -r pid count; do
  batch=
  while [ "$count" -gt 0 ]; do
    IFS= read -r line
    batch="$batch$line
"
    count=$((count - 1))
  done
  {
    words=$(nsenter --target "$pid" --net sh -c "$1" sh "$2" 2>&1 <<EOF
$batch
EOF
) || echo "$pid" $words "(exit code $?)"
  } &
done
wait
`;

const configureOneScript = 'ip -batch - || exit; [ -z "$1" ] || exec ethtool -K "$1" tx off';

/**
 * Deletes veth pairs by the names of their host sides; one that is gone already is fine.
 * @throws PatchpanelError `external` with the words of ip, after all have been tried
 */
export async function deleteVeths(names: readonly string[]): Promise<void> {
  const [first, ...others] = names;
  if (first === undefined) return;
  // Each deletion waits for the kernel to quiesce, some 20 ms; a group is deleted with one such wait.
  const grouped = names.map((name) => `link set dev ${name} group ${DOOMED_GROUP}`);
  const commands =
    others.length === 0 ? [`link delete dev ${first}`] : [...grouped, `link delete group ${DOOMED_GROUP}`];
  const result = await tryProgram('ip', ['-force', '-batch', '-'], lines(commands), TIMEOUT_MS);
  const complaints = [...batchFailures(result.stderr).values()].filter(
    (words) => !/Cannot find device|No such device/.test(words),
  );
  if (complaints.length === 0) return;
  throw new PatchpanelError('external', `ip could not delete veths: ${complaints.join('; ')}`);
}

/** The veths in our namespace that carry this owner's mark. */
export async function listVeths(owner: string): Promise<readonly string[]> {
  const output = await runProgram('ip', ['-json', 'link', 'show', 'type', 'veth'], '', TIMEOUT_MS);
  const links = JSON.parse(output === '' ? '[]' : output) as { ifname?: string; ifalias?: string }[];
  return links.flatMap((link) => (link.ifname !== undefined && link.ifalias === owner ? [link.ifname] : []));
}

/**
 * The MTU of the device that has this address, in bytes.
 * @throws PatchpanelError `not-found` when none has it
 */
export async function underlayMtu(ip: string): Promise<number> {
  const output = await runProgram('ip', ['-json', 'address', 'show', 'to', `${ip}/32`], '', TIMEOUT_MS);
  const devices = JSON.parse(output === '' ? '[]' : output) as { mtu?: number }[];
  const mtu = devices.find((device) => device.mtu !== undefined)?.mtu;
  if (mtu !== undefined) return mtu;
  throw new PatchpanelError(
    'not-found',
    `no device of this host has the address ${ip}: set PATCHPANEL_UNDERLAY_IP to one that peers can reach`,
  );
}

/** A line's first word and the others. */
function split(line: string): readonly [string, string] {
  const [first = '', ...others] = line.split(' ');
  return [first, others.join(' ')];
}

const lines = (commands: readonly string[]) => `${commands.join('\n')}\n`;

/** What went wrong in a forced batch, by line number from 1: ip says it first and the line after. */
function batchFailures(stderr: string): ReadonlyMap<number, string> {
  const failures = new Map<number, string>();
  let words: string[] = [];
  for (const text of stderr.split('\n')) {
    const line = /^Command failed \S*:(\d+)$/.exec(text.trim())?.[1];
    if (line === undefined) {
      if (text.trim() !== '') words.push(text.trim());
      continue;
    }
    failures.set(Number(line), words.join(' ') || 'it does not say why');
    words = [];
  }
  return failures;
}
