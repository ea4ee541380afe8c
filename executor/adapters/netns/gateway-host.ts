import { readFile, writeFile } from 'node:fs/promises';
import { legLines, narrowestPrefix, type GatewayLeg, type Route } from '../../core/fabric/gateway-legs.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { runProgram } from '../program.ts';

const TIMEOUT_MS = 5_000;
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/**
 * Gives the host's legs their addresses and lets the kernel forward packets where one of them needs that. Safe to repeat.
 * @param plainFrames true on the userspace datapath, which cannot carry frames whose checksum was left to the device
 * @throws PatchpanelError `external` with the words of ip or ethtool, also when a device is not there
 */
export async function configureLegs(legs: readonly GatewayLeg[], plainFrames: boolean): Promise<void> {
  if (legs.length === 0) return;
  await runProgram('ip', ['-batch', '-'], `${legs.flatMap(legLines).join('\n')}\n`, TIMEOUT_MS);
  if (plainFrames) {
    for (const { device } of legs) await runProgram('ethtool', ['-K', device, 'tx', 'off'], '', TIMEOUT_MS);
  }
  if (!legs.some(({ gateway }) => gateway)) return;
  if ((await readFile(FORWARDING, 'utf8')).trim() === '0') await writeFile(FORWARDING, '1');
}

/** Prefix length of the host's route to its neighbours around this address; undefined when it cannot be told. */
export async function underlayPrefix(ip: string, log: Logger): Promise<number | undefined> {
  try {
    const text = await runProgram('ip', ['-json', '-4', 'route', 'show', 'match', ip], '', TIMEOUT_MS);
    return narrowestPrefix(JSON.parse(text === '' ? '[]' : text) as Route[]);
  } catch (error) {
    log.warn('the routes of the host could not be read', { error });
    return undefined;
  }
}

/** Puts a file of nftables in force, all of it or nothing. @throws PatchpanelError `external` with the words of nft */
export async function applyRules(text: string): Promise<void> {
  await runProgram('nft', ['-f', '-'], text, TIMEOUT_MS);
}
