import { Command, Option } from 'commander';
import type { PathInfo } from './api-types.ts';
import { ApiClient, exitCodes, type GlobalOptions } from './client.ts';
import { bold, print, table } from './output.ts';

interface PathOptions extends GlobalOptions {
  readonly protocol: string;
  readonly port?: string;
  readonly rules?: boolean;
}

/** `patchpanel path <from> <to>` */
export function pathCommand(): Command {
  return new Command('path')
    .description(
      'what the switches would do with a packet, decision by decision; an end is a slot (/web#0, 0.web), a task id or an address',
    )
    .argument('<from>', 'the sender: a slot, a task id or the address of a slot')
    .argument('<to>', 'a slot, a task id, or any address')
    .option('--port <n>', "the destination's port; the first that it declares, or 80, when left out")
    .addOption(new Option('--protocol <name>', 'what is sent').choices(['tcp', 'udp', 'icmp']).default('tcp'))
    .option('--rules', 'show the rules of the switches, too')
    .addHelpText('after', '\nNothing is sent. Exits with 1 when the packet would not arrive.')
    .action((from: string, to: string, _options, command: Command) =>
      showPath(from, to, command.optsWithGlobals()),
    );
}

async function showPath(from: string, to: string, options: PathOptions): Promise<void> {
  const query = new URLSearchParams({ from, to, protocol: options.protocol });
  if (options.port !== undefined) query.set('port', options.port);
  const path = await new ApiClient(options).get<PathInfo>(`/v1/path?${query.toString()}`);
  print(options.json, path, () => pathText(path, options.rules === true));
  if (path.verdict === 'dropped' || path.verdict === 'unclear') process.exitCode = exitCodes.failed;
}

function pathText(path: PathInfo, rules: boolean): string {
  const port = path.destinationPort === undefined ? '' : ` port ${path.destinationPort}`;
  const title = `${endText(path.from)} to ${endText(path.to)}, ${path.protocol}${port}`;
  const hops = path.hops.map((hop) => hopText(hop, rules));
  return [bold(title), ...hops, `${path.verdict}: ${path.summary}`].join('\n\n');
}

const endText = ({ slot, epoch, ip, host }: PathInfo['from']): string =>
  slot === undefined ? ip : `${slot}@${epoch} (${ip}${host === undefined ? '' : ` on ${host}`})`;

function hopText(hop: PathInfo['hops'][number], rules: boolean): string {
  const rows = hop.steps.map(({ table: name, says, rule }) => [
    `  ${name}`,
    says,
    ...(rules ? [rule === undefined ? '' : `${rule.priority} ${rule.match}`] : []),
  ]);
  const headers = ['  TABLE', 'DECISION', ...(rules ? ['RULE'] : [])];
  const lines = [
    `${hop.host}, ${hop.protocol}: ${hop.entrance}`,
    ...(rows.length === 0 ? [] : [table(headers, rows, '')]),
    ...hop.remarks.map((remark) => `  ${remark}`),
  ];
  return lines.join('\n');
}
