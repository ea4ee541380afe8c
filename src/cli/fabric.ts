import { Command, InvalidArgumentError, Option } from 'commander';
import { planFabric, type FabricPlan } from '../fabric/fabric-plan.ts';
import type { Encapsulation, TunnelMode } from '../fabric/interconnect.ts';
import type { GlobalOptions } from './client.ts';
import { CliError, exitCodes } from './client.ts';
import { addCounterCommands } from './fabric-counters.ts';
import { print, table } from './output.ts';

interface PlanOptions extends GlobalOptions {
  readonly hosts: number;
  readonly endpoints: number;
  readonly mode: TunnelMode;
  readonly encap: Encapsulation;
  readonly underlayMtu: number;
}

/** More is not worth the wait: the plan of this many takes seconds. */
const maxEndpoints = 100_000;

/** `patchpanel fabric …` */
export function fabricCommand(): Command {
  const fabric = new Command('fabric').description(
    'reckon with the interconnection of the switches, and see what they dropped and delivered',
  );
  fabric
    .command('plan')
    .description('links, tunnel ports, flows and MTU of a fabric of so many hosts; asks no scheduler')
    .requiredOption('--hosts <n>', 'hosts of the fabric', wholeNumber(1, 5_000))
    .option('--endpoints <n>', 'endpoints on each host, all in one network', wholeNumber(1, 1_000), 10)
    .addOption(
      new Option('--mode <mode>', 'one tunnel port for all peers, or one for each')
        .choices(['flow', 'mesh'])
        .default('flow'),
    )
    .addOption(
      new Option('--encap <name>', 'encapsulation between hosts')
        .choices(['vxlan', 'geneve'])
        .default('vxlan'),
    )
    .option('--underlay-mtu <bytes>', 'MTU of the network between hosts', wholeNumber(626, 65_535), 1_500)
    .action((_options, command: Command) => printPlan(command.optsWithGlobals()));
  addCounterCommands(fabric);
  return fabric;
}

function printPlan({ hosts, endpoints, mode, encap, underlayMtu, json }: PlanOptions): void {
  if (hosts * endpoints > maxEndpoints)
    throw new CliError(
      exitCodes.usage,
      `at most ${maxEndpoints} endpoints in all: give fewer --hosts or --endpoints`,
    );
  const plan = planFabric({
    hosts,
    endpointsPerHost: endpoints,
    interconnect: { mode, encapsulation: encap },
    underlayMtu,
  });
  print(json, plan, () => planTable(plan));
}

function planTable(plan: FabricPlan): string {
  const { mode, encapsulation } = plan.interconnect;
  return table(
    ['', 'EACH HOST', 'IN ALL'],
    [
      ['hosts', '', plan.hosts],
      ['endpoints', plan.endpointsPerHost, plan.endpoints],
      ['links', plan.hosts - 1, plan.links],
      [`tunnel ports (${mode})`, plan.tunnelPortsPerHost, plan.tunnelPorts],
      ['flows', plan.flowsPerHost, plan.flows],
      [`MTU in containers (${encapsulation})`, plan.endpointMtu, ''],
    ],
    'nothing',
  );
}

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
