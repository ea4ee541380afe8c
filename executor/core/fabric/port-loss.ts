/** What Open vSwitch says of a port. */
export interface PortCondition {
  /** OpenFlow port; undefined while the device is being opened, -1 when it could not be. */
  readonly actualOfport: number | undefined;
  readonly error: string | undefined;
  /** Number of the device in the kernel; 0 once it is gone. */
  readonly ifindex: number | undefined;
}

/** Why a port that once worked will not work again, or undefined: it does, or Open vSwitch is about to open it. */
export function portLoss(port: PortCondition): string | undefined {
  if (port.error !== undefined) return `Open vSwitch reports: ${port.error}`;
  if (port.actualOfport === -1) return 'Open vSwitch cannot open its device';
  if (port.ifindex === 0) return 'its veth is gone';
  return undefined;
}
