import type { DevCluster } from '../../src/devcluster/cluster.ts';
import { run } from '../../src/runtime/process.ts';

const table = 'ip test-view-cut';

/**
 * Cuts the executor of a host off from the scheduler: it is told nothing, and nothing that it says arrives. Mesos, the
 * switch and containers go on, so nobody takes the host for lost. The scheduler learns of it when it says something.
 * The result takes the cut away; calling it again does nothing.
 */
export async function cutViewStream(cluster: DevCluster, host: string): Promise<() => Promise<void>> {
  const { netns } = cluster.member(host).status();
  const ports = cluster.schedulers.members.map(({ advertised }) => advertised.split(':')[1]).join(', ');
  const rules = [
    `table ${table} {`,
    `  chain in { type filter hook input priority -10; tcp sport { ${ports} } reject with tcp reset; }`,
    // The resets that the rule above sends pass.
    `  chain out { type filter hook output priority -10; tcp dport { ${ports} } tcp flags & rst == 0 reject with tcp reset; }`,
    '}',
  ];
  await run('nft', ['-f', '-'], { netns, input: `${rules.join('\n')}\n` });
  // Declared first, so that it is no error when the table is gone.
  const lift = `table ${table} {}\ndelete table ${table}\n`;
  return async () => void (await run('nft', ['-f', '-'], { netns, input: lift }));
}
