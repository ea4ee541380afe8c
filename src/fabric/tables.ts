/**
 * The tables of the pipeline, in the order in which a frame meets them. The numbers between are kept free: 12
 * services (DHCP, DNS), 20 egress policy, 30 connection tracking, 50 ingress policy, 55 meters.
 *
 * Registers: reg0 network (VNI, 20 bits) · reg1 flags (see `flag`) · reg2 the sender's app (see `appNumber`) · reg3 port
 * to put the frame out of · reg4 the receiver's app.
 */
export const table = {
  /** Where did the frame come from: the tunnel or a port that the view knows. */
  classify: 0,
  /** One flow that no frame meets: when it is gone, Open vSwitch has restarted. */
  canary: 1,
  /** A slot's MAC is accepted only from hosts that own the slot in the view. */
  tunnelGuard: 5,
  /** A port speaks with its own MAC and address only. */
  portSecurity: 10,
  /** ARP is answered here and goes no further. */
  arp: 15,
  /** What local endpoints send to their gateway leaves the network here; the rest goes on. */
  gateway: 35,
  /** Which port, or which host, has the destination. */
  forward: 40,
  /** Only during a handover: whose a connection is, by the mark that its SYN got. */
  connections: 41,
  /** Counts what is delivered, from app to app. */
  traffic: 58,
  /** Puts the frame out of the port in reg3. */
  output: 60,
} as const;

/** Number of a table of the pipeline. */
export type TableNumber = (typeof table)[keyof typeof table];

/** Name of a table by its number, `port security`; its number when it is none of ours. */
export function tableName(number: number): string {
  const name = Object.entries(table).find(([, each]) => each === number)?.[0];
  return name?.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) ?? `table ${number}`;
}

/** Matches on reg1's flags, as `value/mask`. Bit 0: came out of the tunnel. Bit 1: was redirected by another host. */
export const flag = {
  fromTunnel: '0x1/0x1',
  notFromTunnel: '0x0/0x1',
  redirected: '0x2/0x2',
  notRedirected: '0x0/0x2',
} as const;

/** Bit of the tunnel id by which a host tells that it redirects a frame; the low 20 bits are the network. */
export const redirectBit = 0x80_0000;
