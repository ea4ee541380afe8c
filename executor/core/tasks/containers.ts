import type { EndpointKey } from '../../../src/fabric/view.ts';
import type { ContainerRole, ContainerSpec } from './container-spec.ts';
import type { RegistryCredentials } from './registry-auth.ts';

/** What the task side needs of Docker. Containers are named by containerName(). */
export interface Containers {
  /** Whether an image is on this host. */
  hasImage(image: string): Promise<boolean>;
  /**
   * Fetches an image from its registry, with credentials where there are some, telling how far it is.
   * @throws PatchpanelError `not-found` with Docker's words when there is none or the registry does not answer;
   *   `deadline` when nothing moves for minutes
   */
  pull(
    image: string,
    credentials: RegistryCredentials | undefined,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** @throws PatchpanelError `external` with Docker's words */
  create(name: string, spec: ContainerSpec): Promise<void>;
  /** @throws PatchpanelError `external` with Docker's words */
  start(name: string): Promise<void>;
  /** undefined: there is no such container. */
  inspect(name: string): Promise<ContainerFacts | undefined>;
  /** Sends a signal to the container's first process; false when it does not run. */
  signal(name: string, signal: string): Promise<boolean>;
  /** Kills it if need be and removes it with its anonymous volumes. One that is not there is fine. */
  remove(name: string): Promise<void>;
  /** Every container with this host's key, running or not. */
  list(): Promise<readonly ListedContainer[]>;
  /**
   * Ends of this host's containers, from now on. It returns when Docker closes the stream and throws when the stream
   * breaks; what was missed meanwhile is in list().
   */
  deaths(onOpen: () => void, signal: AbortSignal): AsyncIterable<ContainerDeath>;
  /** What a container wrote, oldest first, until it has ended and all of it was given. `tty`: it has a terminal. */
  output(
    name: string,
    tty: boolean,
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<readonly OutputEntry[]>;
}

export interface ContainerFacts {
  readonly running: boolean;
  /** 0 when it does not run. */
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** What the image or the task wants instead of SIGTERM. */
  readonly stopSignal: string;
}

export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  readonly taskId: string;
  /** The run of an executor whose task it is; absent with executors that did not say. */
  readonly runId?: string;
  /** The incarnation that the task is. */
  readonly endpoint: EndpointKey;
  readonly role: ContainerRole;
  readonly running: boolean;
}

export interface ContainerDeath {
  readonly taskId: string;
  readonly role: ContainerRole;
}

/** A line, or part of a long one, that a container wrote. */
export interface OutputEntry {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nine digits after the dot, so that text order is time order. */
  readonly at: string;
  readonly text: Uint8Array;
}
