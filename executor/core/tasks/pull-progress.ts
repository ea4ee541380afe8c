/** One of the records that Docker sends while it pulls an image. */
export interface PullRecord {
  /** The layer. */
  readonly id?: string | undefined;
  readonly status?: string | undefined;
  readonly progressDetail?:
    { readonly current?: number | undefined; readonly total?: number | undefined } | undefined;
}

interface Layer {
  readonly current: number;
  readonly total: number;
  readonly done: boolean;
}

/** How far each layer of a pull is. */
export type PullProgress = ReadonlyMap<string, Layer>;

/** The progress after one more record. */
export function addPullRecord(progress: PullProgress, record: PullRecord): PullProgress {
  const { id, status = '' } = record;
  if (id === undefined || status.startsWith('Pulling from')) return progress;
  const before = progress.get(id) ?? { current: 0, total: 0, done: false };
  const layer = { ...before, ...amounts(record), done: before.done || isDone(status) };
  return new Map(progress).set(id, layer);
}

/** Only downloads are counted: unpacking has amounts of its own. */
function amounts({ status, progressDetail }: PullRecord): Partial<Layer> {
  if (status !== 'Downloading' || progressDetail?.current === undefined) return {};
  return { current: progressDetail.current, total: progressDetail.total ?? 0 };
}

const isDone = (status: string): boolean => status === 'Pull complete' || status === 'Already exists';

/** `pulling web:1: 2 of 5 layers, 12.3 of 40.1 MB`, for people. */
export function pullText(image: string, progress: PullProgress): string {
  const layers = [...progress.values()];
  if (layers.length === 0) return `pulling ${image}`;
  const done = layers.filter((layer) => layer.done).length;
  const current = layers.reduce((sum, layer) => sum + layer.current, 0);
  const total = layers.reduce((sum, layer) => sum + layer.total, 0);
  const amount = total === 0 ? '' : `, ${megabytes(current)} of ${megabytes(total)} MB`;
  return `pulling ${image}: ${done} of ${layers.length} layers${amount}`;
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
