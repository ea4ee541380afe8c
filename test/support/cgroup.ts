import { mkdir, readFile, rmdir } from 'node:fs/promises';
import path from 'node:path';

const root = '/sys/fs/cgroup';
/** In which Mesos's isolators of version 1 make a group for each executor. */
const controllers = ['cpu', 'memory'];

/** Groups as a Mesos agent makes them for an executor, version 1: the same path in the hierarchy of each controller. */
export class TestCgroup {
  /** `/pp-test-<pid>/<container id>` */
  readonly path: string;

  private constructor(groupPath: string) {
    this.path = groupPath;
  }

  static async create(containerId: string): Promise<TestCgroup> {
    const cgroup = new TestCgroup(`/pp-test-${process.pid}/${containerId}`);
    for (const controller of controllers)
      await mkdir(path.join(root, controller, cgroup.path), { recursive: true });
    return cgroup;
  }

  /** Put before a command: it runs in the group. */
  get enter(): readonly string[] {
    const files = controllers.map((controller) => path.join(root, controller, this.path, 'cgroup.procs'));
    const join = files.map((file) => `echo $$ > ${file}`).join(' && ');
    return ['sh', '-c', `${join} && exec "$@"`, 'sh'];
  }

  /** The group of a process in the hierarchy of memory. */
  async groupOf(pid: number): Promise<string> {
    const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n');
    return lines.find((line) => line.split(':')[1] === 'memory')?.split(':')[2] ?? '';
  }

  /** Only groups that nothing runs in can go. */
  async close(): Promise<void> {
    for (const controller of controllers) {
      await rmdir(path.join(root, controller, this.path));
      await rmdir(path.join(root, controller, path.dirname(this.path)));
    }
  }
}
