import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nameRecords } from '../../../executor/core/fabric/name-records.ts';
import { FlowCompiler } from '../../fabric/flow-compiler.ts';
import type { LocalSwitch } from '../../fabric/local-switch.ts';
import { ViewChecker } from '../../fabric/view-checker.ts';
import { applyDelta } from '../../fabric/view-diff.ts';
import { endpointKey, type View } from '../../fabric/view.ts';
import { PatchpanelError } from '../../runtime/errors.ts';
import { figure, type Figure } from './figures.ts';
import { movedTo, simulatedFabric } from './simulated-fabric.ts';

const hosts = 1_000;
const endpoints = 20_000;
const runs = { full: 10, moves: 200 } as const;

/** What one host of a large fabric computes: all of it, and for each move; its flows and its memory. */
export function measureCompile(): readonly Figure[] {
  const heapBefore = usedHeap();
  const view = simulatedFabric(hosts, endpoints);
  const local = switchOf(view);
  const full: number[] = [];
  for (let i = 0; i < runs.full; i += 1) {
    full.push(timeOf(() => new FlowCompiler().update(view, local)));
  }
  const compiler = new FlowCompiler();
  const flows = compiler.update(view, local).all().length;
  const checker = new ViewChecker();
  checker.check(view);
  const heap = usedHeap() - heapBefore;
  const moved = moves(view, local, compiler, checker);
  const of = `${hosts} hosts, ${endpoints} endpoints`;
  return [
    figure('fabric', `${of}: all flows of a host`, 'ms', full, {
      target: { of: 'p50', is: 'at most', limit: 2_000 },
    }),
    figure('fabric', '  a move: apply, validate, compile, difference', 'ms', moved.flows, {
      target: { of: 'p99', is: 'at most', limit: 200 },
    }),
    figure('fabric', '  its names: compare with those that are answered', 'ms', moved.names),
    figure('fabric', '  flows of a host', 'flows', [flows]),
    figure('fabric', "  memory of a host's view and flows", 'MiB', [heap]),
  ];
}

/** Milliseconds of what an executor computes when one endpoint moves, for its flows and for its names. */
function moves(
  first: View,
  local: LocalSwitch,
  compiler: FlowCompiler,
  checker: ViewChecker,
): { readonly flows: readonly number[]; readonly names: readonly number[] } {
  let view = first;
  let objects = compiler.update(view, local);
  let records = nameRecords(undefined, view);
  const names: number[] = [];
  const flows = Array.from({ length: runs.moves }, (_, i) => {
    const endpoint = view.endpoints[(i * 7_919) % endpoints]!;
    const moved = movedTo(endpoint, first.hosts[(i * 31) % hosts]);
    const tookMs = timeOf(() => {
      const result = applyDelta(view, {
        from: view.version,
        to: { term: 1, n: view.version.n + 1 },
        hosts: [],
        networks: [],
        endpoints: [moved],
        removedHosts: [],
        removedNetworks: [],
        removedEndpoints: [{ slot: endpoint.slot, epoch: endpoint.epoch }],
      });
      if (result.kind === 'refused') throw new PatchpanelError('protocol', result.problem);
      view = result.view;
      if (checker.check(view).length > 0) throw new PatchpanelError('protocol', 'the view is refused');
      const next = compiler.update(view, local);
      objects.diff(next);
      objects = next;
    });
    names.push(timeOf(() => (records = nameRecords(records, view))));
    return tookMs;
  });
  return { flows, names };
}

function switchOf(view: View): LocalSwitch {
  const [self] = view.hosts;
  const own = view.endpoints.filter(({ host }) => host === self?.id);
  return {
    agentId: self!.id,
    round: 1,
    tunnelOfport: 1,
    ofports: new Map(own.map((each, i) => [endpointKey(each), 32_768 + i])),
  };
}

function timeOf(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

/** In MiB, of what is still of use. */
function usedHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed / 1024 ** 2;
}
