import type { App } from '../../../src/model/app.ts';
import { groupsAbove } from '../../../src/model/group.ts';
import type { AppId, GroupId, PathId } from '../../../src/model/ids.ts';
import type { Tree } from './tree.ts';

/** An app, or all that is below a group. */
type Node =
  { readonly kind: 'app'; readonly app: App } | { readonly kind: 'group'; readonly groupId: GroupId };

interface Visit {
  readonly node: Node;
  readonly rest: Iterator<Node>;
  /** Apps on the longest chain found so far below this node. */
  longest: number;
}

/**
 * Who waits for whom: an app for the apps that it names, that the groups above it name, and that are below groups so
 * named. Looks only at what is asked for, each node once; chains may be of any length.
 */
export class DependencyGraph {
  readonly #tree: Tree;
  /** Apps on the longest chain that ends at a node, the node itself included. */
  readonly #lengths = new Map<string, number>();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** How many apps at most come one after the other up to this one; 1: it waits for nothing. Not for cycles. */
  layerOf(app: App): number {
    this.#visit({ kind: 'app', app });
    return this.#lengths.get(keyOf({ kind: 'app', app })) ?? 1;
  }

  /** The apps of a cycle that one of these is on or leads to, or undefined. */
  findCycle(apps: Iterable<App>): AppId[] | undefined {
    for (const app of apps) {
      const cycle = this.#visit({ kind: 'app', app });
      if (cycle !== undefined) return cycle;
    }
    return undefined;
  }

  /** Depth first, with a stack of its own: a chain may be longer than the call stack is deep. */
  #visit(start: Node): AppId[] | undefined {
    if (this.#lengths.has(keyOf(start))) return undefined;
    const path: Visit[] = [this.#enter(start)];
    const open = new Set([keyOf(start)]);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.rest.next();
      if (next.done === true) {
        path.pop();
        this.#leave(top, path.at(-1));
        open.delete(keyOf(top.node));
        continue;
      }
      const key = keyOf(next.value);
      const known = this.#lengths.get(key);
      if (open.has(key)) return cycleOf(path, key);
      if (known !== undefined) top.longest = Math.max(top.longest, known);
      else {
        path.push(this.#enter(next.value));
        open.add(key);
      }
    }
    return undefined;
  }

  #enter(node: Node): Visit {
    return { node, rest: this.#successors(node)[Symbol.iterator](), longest: 0 };
  }

  #leave({ node, longest }: Visit, above: Visit | undefined): void {
    const length = node.kind === 'app' ? longest + 1 : longest;
    this.#lengths.set(keyOf(node), length);
    if (above !== undefined) above.longest = Math.max(above.longest, length);
  }

  *#successors(node: Node): Iterable<Node> {
    if (node.kind === 'group') {
      for (const app of this.#tree.appsIn(node.groupId)) yield { kind: 'app', app };
      for (const group of this.#tree.groupsIn(node.groupId)) yield { kind: 'group', groupId: group.id };
      return;
    }
    for (const dependency of this.#dependenciesOf(node.app)) {
      const app = this.#tree.app(dependency as AppId);
      if (app !== undefined) yield { kind: 'app', app };
      if (this.#tree.group(dependency as GroupId) !== undefined)
        yield { kind: 'group', groupId: dependency as GroupId };
    }
  }

  *#dependenciesOf(app: App): Iterable<PathId> {
    yield* app.dependencies;
    for (const above of groupsAbove(app.id)) yield* this.#tree.group(above)?.dependencies ?? [];
  }
}

const keyOf = (node: Node): string => (node.kind === 'app' ? `app ${node.app.id}` : `group ${node.groupId}`);

function cycleOf(path: readonly Visit[], key: string): AppId[] {
  const from = path.findIndex(({ node }) => keyOf(node) === key);
  return path.slice(from).flatMap(({ node }) => (node.kind === 'app' ? [node.app.id] : []));
}
