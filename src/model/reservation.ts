import { appId, slotIdFromText, type AppId, type NetworkName, type SlotId } from './ids.ts';

/**
 * A machine of the operator's on the switch: a virtual machine, or whatever else has a port on a host's bridge. It owns
 * its address for as long as the reservation is there, and gets it by DHCP.
 */
export interface Reservation {
  readonly network: NetworkName;
  /** One label; with the network's domain its full name. */
  readonly name: string;
  readonly mac: string;
  readonly ip: string;
  /** Name of the host, as Mesos has it. */
  readonly host: string;
  /** Name of the port on the host's bridge. */
  readonly device: string;
}

/** What holds the address in the books and in views, `default:vm1`; no slot of an app is called so. */
export const reservationSlot = ({ network, name }: Pick<Reservation, 'network' | 'name'>): SlotId =>
  slotIdFromText(`${network}:${name}`);

/** What stands in for the app in views. */
export const reservationApp = (reservation: Pick<Reservation, 'network' | 'name'>): AppId =>
  appId(reservationSlot(reservation));
