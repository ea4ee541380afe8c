import Docker from 'dockerode';

/** A Docker Engine that the cluster may use. */
export interface DockerEngine {
  /** `unix:///var/run/docker.sock` */
  readonly dockerHost: string;
  readonly socket: string;
  /** True when the cluster started it, and ends it. */
  readonly own: boolean;
  readonly client: Docker;
}

/** A client for an engine's socket. */
export const engineAt = (socket: string, own: boolean): DockerEngine => ({
  dockerHost: `unix://${socket}`,
  socket,
  own,
  client: new Docker({ socketPath: socket }),
});

/** Whether an engine answers at the socket within two seconds. */
export async function answers(socket: string): Promise<boolean> {
  try {
    await new Docker({ socketPath: socket, timeout: 2_000 }).ping();
    return true;
  } catch {
    return false;
  }
}
/** Removes, running or not, every container that matches the label (`key=value`), or all of them; waits. */
export async function removeContainers(docker: Docker, label?: string): Promise<number> {
  const filters = label === undefined ? {} : { label: [label] };
  const found = await docker.listContainers({ all: true, filters });
  await Promise.all(found.map((each) => removeContainer(docker, each.Id)));
  return found.length;
}

async function removeContainer(docker: Docker, id: string): Promise<void> {
  try {
    await docker.getContainer(id).remove({ force: true, v: true });
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}

/** 404: somebody else was faster; 409: its removal is under way. */
function isExpected(error: unknown): boolean {
  if (error === null || typeof error !== 'object' || !('statusCode' in error)) return false;
  return error.statusCode === 404 || error.statusCode === 409;
}

/** SIGKILL to every running container that matches the label; they stay, stopped, as after a power cut. */
export async function killContainers(docker: Docker, label: string): Promise<void> {
  const running = await docker.listContainers({ filters: { label: [label] } });
  await Promise.all(
    running.map(async ({ Id }) => {
      try {
        await docker.getContainer(Id).kill({ signal: 'SIGKILL' });
      } catch (error) {
        if (!isExpected(error)) throw error;
      }
    }),
  );
}
