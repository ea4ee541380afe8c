import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { runProgram, tryProgram } from '../program.ts';
import { hostLinkLines, SANDBOX_INTERFACE, sandboxLinkLines, type LinkWish } from '../../core/fabric-link.ts';

const TIMEOUT_MS = 5_000;

/**
 * Makes the veth pair, its inner end already inside the sandbox, named and with its MAC.
 * @throws PatchpanelError `external` with the words of ip: nothing is left then
 */
export async function createVeth(wish: LinkWish): Promise<void> {
  await ipBatch('ip', [], hostLinkLines(wish));
}

/**
 * Addresses and routes inside the sandbox.
 * @param plainFrames true on the userspace datapath, which cannot carry frames whose checksum was left to the device
 * @throws PatchpanelError `external` with the words of ip or ethtool
 */
export async function configureSandbox(wish: LinkWish, plainFrames: boolean): Promise<void> {
  const enter = ['-t', String(wish.sandboxPid), '-n'];
  await Promise.all([
    ipBatch('nsenter', [...enter, 'ip'], sandboxLinkLines(wish)),
    plainFrames
      ? runProgram('nsenter', [...enter, 'ethtool', '-K', SANDBOX_INTERFACE, 'tx', 'off'], '', TIMEOUT_MS)
      : undefined,
  ]);
}

/**
 * Deletes veth pairs by the names of their host sides; one that is gone already is fine.
 * @throws PatchpanelError `external` with the words of ip, after all have been tried
 */
export async function deleteVeths(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const input = lines(names.map((name) => `link delete dev ${name}`));
  const result = await tryProgram('ip', ['-force', '-batch', '-'], input, TIMEOUT_MS);
  const complaints = result.stderr
    .split('\n')
    .filter(
      (line) => line !== '' && !line.includes('Cannot find device') && !line.startsWith('Command failed'),
    );
  if (result.exitCode === 0 || complaints.length === 0) return;
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

async function ipBatch(file: string, args: readonly string[], commands: readonly string[]): Promise<void> {
  await runProgram(file, [...args, '-batch', '-'], lines(commands), TIMEOUT_MS);
}

const lines = (commands: readonly string[]) => `${commands.join('\n')}\n`;
