/**
 * Numbers of ports and names of veths. Both come from one serial that only grows: Open vSwitch's userspace datapath
 * passes no traffic through a device whose name it has seen before, and flows that mention a number must not find a
 * successor there.
 */
/** Open vSwitch numbers ports itself from 1 to 32767; from here on they are ours. */
const FIRST_OFPORT = 32_768;
const LAST_OFPORT = 65_279;
const OFPORTS = LAST_OFPORT - FIRST_OFPORT + 1;

export interface PortNumber {
  readonly serial: number;
  readonly ofport: number;
  /** Name of the veth's host side, `pp1f3h`: at most 15 characters up to a serial of 36^12. */
  readonly veth: string;
}

/** The number that a serial stands for. */
export const portNumberOf = (serial: number): PortNumber => ({
  serial,
  ofport: FIRST_OFPORT + (serial % OFPORTS),
  veth: `pp${serial.toString(36)}h`,
});

/** The serial in a veth's name; undefined when it is not one of ours. */
export function serialOfVeth(name: string): number | undefined {
  const digits = /^pp([0-9a-z]+)h$/.exec(name)?.[1];
  const serial = digits === undefined ? Number.NaN : Number.parseInt(digits, 36);
  return Number.isSafeInteger(serial) ? serial : undefined;
}

/** The first number from `serial` on whose OpenFlow port is not in use; undefined when the whole ring is. */
export function nextPortNumber(serial: number, usedOfports: ReadonlySet<number>): PortNumber | undefined {
  for (let step = 0; step < OFPORTS; step += 1) {
    const number = portNumberOf(serial + step);
    if (!usedOfports.has(number.ofport)) return number;
  }
  return undefined;
}
