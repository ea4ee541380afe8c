/**
 * Scalar resources as integer thousandths, as Mesos itself computes with them (three decimals, fixed point):
 * 0.1 cpus is 100, 64 MiB of memory is 64000.
 */
export interface Scalars {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
}

/** An inclusive range of host ports. */
export interface PortRange {
  readonly begin: number;
  readonly end: number;
}

export const noScalars: Scalars = { cpus: 0, mem: 0, disk: 0, gpus: 0 };

export const toMilli = (value: number): number => Math.round(value * 1000);
export const fromMilli = (milli: number): number => milli / 1000;

export function addScalars(a: Scalars, b: Scalars): Scalars {
  return { cpus: a.cpus + b.cpus, mem: a.mem + b.mem, disk: a.disk + b.disk, gpus: a.gpus + b.gpus };
}

export function subtractScalars(a: Scalars, b: Scalars): Scalars {
  return { cpus: a.cpus - b.cpus, mem: a.mem - b.mem, disk: a.disk - b.disk, gpus: a.gpus - b.gpus };
}

/** The lesser of each. */
export function leastScalars(a: Scalars, b: Scalars): Scalars {
  return {
    cpus: Math.min(a.cpus, b.cpus),
    mem: Math.min(a.mem, b.mem),
    disk: Math.min(a.disk, b.disk),
    gpus: Math.min(a.gpus, b.gpus),
  };
}

export function fits(need: Scalars, have: Scalars): boolean {
  return need.cpus <= have.cpus && need.mem <= have.mem && need.disk <= have.disk && need.gpus <= have.gpus;
}
