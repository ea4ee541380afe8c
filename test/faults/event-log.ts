/** An event of the stream, as much of it as matters here. */
export interface SeenEvent {
  /** Absent for what is told to one client only. */
  readonly id?: string;
  readonly type: string;
  /** Of a status update: the task and its state. */
  readonly task?: { readonly id: string; readonly state: string };
}

/** What a client has read that came back after every break with the id that it read last. */
export interface EventLog {
  readonly lastId: string | undefined;
  /** Tasks that it was told run. */
  readonly running: ReadonlySet<string>;
  /** It was told that events are lost, and has not read the state afresh yet. */
  readonly missed: boolean;
  readonly problems: readonly string[];
}

export const emptyEventLog: EventLog = { lastId: undefined, running: new Set(), missed: false, problems: [] };

/** The log after an event; one that came out of turn is a problem. */
export function afterEvent(log: EventLog, { id, type, task }: SeenEvent): EventLog {
  const missed = log.missed || type === 'events_missed_event';
  const running = task?.state === 'TASK_RUNNING' ? new Set(log.running).add(task.id) : log.running;
  if (id === undefined) return { ...log, missed, running };
  const late = log.lastId !== undefined && !isAfter(id, log.lastId);
  const problems = late ? [...log.problems, `event ${id} came after event ${log.lastId}`] : log.problems;
  return { lastId: id, missed, running, problems };
}

/** What is wrong with what a client knows, given the tasks that run; one that was told of a loss may know less. */
export const eventFindings = (
  { missed, running, problems }: EventLog,
  tasks: readonly string[],
): readonly string[] =>
  missed
    ? problems
    : [...problems, ...tasks.filter((id) => !running.has(id)).map((id) => `no event told that ${id} runs`)];

/** The log of a client that has read the state afresh. */
export const afterRefresh = (log: EventLog, tasks: readonly string[]): EventLog => ({
  ...log,
  missed: false,
  running: new Set(tasks),
});

function isAfter(id: string, other: string): boolean {
  const [term = 0, n = 0] = id.split('-').map(Number);
  const [otherTerm = 0, otherN = 0] = other.split('-').map(Number);
  return term > otherTerm || (term === otherTerm && n > otherN);
}
