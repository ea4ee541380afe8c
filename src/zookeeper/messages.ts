import { JuteReader, JuteWriter } from './jute.ts';

/** Who may do what with a node: `world`/`anyone`, or `auth` for whoever made it. */
export interface Acl {
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
}

const everything = 31;

/** Anybody may do everything. */
export const openAcl: readonly Acl[] = [{ permissions: everything, scheme: 'world', id: 'anyone' }];

/** Only who authenticated as its maker may do anything, reading included. */
export const creatorAcl: readonly Acl[] = [{ permissions: everything, scheme: 'auth', id: '' }];

/** The kinds of node that we make. */
export const nodeModes = { persistent: 0, ephemeralSequential: 3 } as const;

export interface NodeStat {
  /** Transaction that made the node. */
  readonly createdBy: bigint;
  /** Counts the changes of its data. */
  readonly version: number;
  readonly children: number;
}

export interface CreateOperation {
  readonly kind: 'create';
  readonly path: string;
  readonly data: Uint8Array;
  readonly acl: readonly Acl[];
  readonly mode: number;
}

export interface DeleteOperation {
  readonly kind: 'delete';
  readonly path: string;
}

/** `version` -1: whatever it is. */
export interface SetOperation {
  readonly kind: 'set';
  readonly path: string;
  readonly data: Uint8Array;
  readonly version: number;
}

export interface CheckOperation {
  readonly kind: 'check';
  readonly path: string;
  readonly version: number;
}

/** What can be part of a transaction. */
export type Operation = CreateOperation | DeleteOperation | SetOperation | CheckOperation;

const opcodes = {
  create: 1,
  delete: 2,
  exists: 3,
  get: 4,
  set: 5,
  children: 8,
  sync: 9,
  ping: 11,
  check: 13,
  multi: 14,
  auth: 100,
  close: -11,
} as const;

/** xids that are not those of a request. */
export const specialXids = { notification: -1, ping: -2, auth: -4 } as const;

const anyVersion = -1;

function head(xid: number, opcode: number): JuteWriter {
  return new JuteWriter().int(xid).int(opcode);
}

/** What a session is begun or taken up again with. */
export interface Greeting {
  readonly lastZxid: bigint;
  readonly timeoutMs: number;
  /** 0 for a new session. */
  readonly sessionId: bigint;
  readonly password: Uint8Array;
}

export const encodeGreeting = ({ lastZxid, timeoutMs, sessionId, password }: Greeting): Buffer =>
  new JuteWriter().int(0).long(lastZxid).int(timeoutMs).long(sessionId).buffer(password).bool(false).bytes();

/** The server's answer; a timeout of 0 means that the session has expired. */
export function decodeWelcome(bytes: Buffer): { timeoutMs: number; sessionId: bigint; password: Buffer } {
  const reader = new JuteReader(bytes);
  reader.int();
  return { timeoutMs: reader.int(), sessionId: reader.long(), password: reader.buffer() };
}

export const encodePing = (): Buffer => head(specialXids.ping, opcodes.ping).bytes();

/** Shows who we are by user and password. */
export const encodeDigestAuth = (userAndPassword: string): Buffer =>
  head(specialXids.auth, opcodes.auth).int(0).string('digest').string(userAndPassword).bytes();

export const encodeClose = (xid: number): Buffer => head(xid, opcodes.close).bytes();

export const encodeExists = (xid: number, path: string): Buffer =>
  head(xid, opcodes.exists).string(path).bool(false).bytes();

export const encodeGet = (xid: number, path: string, watch: boolean): Buffer =>
  head(xid, opcodes.get).string(path).bool(watch).bytes();

export const encodeChildren = (xid: number, path: string, watch: boolean): Buffer =>
  head(xid, opcodes.children).string(path).bool(watch).bytes();

export const encodeSync = (xid: number, path: string): Buffer => head(xid, opcodes.sync).string(path).bytes();

/** One operation by itself. */
export function encodeOperation(xid: number, operation: Operation): Buffer {
  const writer = head(xid, opcodes[operation.kind]);
  writeOperation(writer, operation);
  return writer.bytes();
}

/** All operations or none. */
export function encodeMulti(xid: number, operations: readonly Operation[]): Buffer {
  const writer = head(xid, opcodes.multi);
  for (const operation of operations) {
    writer.int(opcodes[operation.kind]).bool(false).int(-1);
    writeOperation(writer, operation);
  }
  return writer.int(-1).bool(true).int(-1).bytes();
}

function writeOperation(writer: JuteWriter, operation: Operation): void {
  writer.string(operation.path);
  switch (operation.kind) {
    case 'create':
      writer.buffer(operation.data);
      writer.vector(operation.acl, ({ permissions, scheme, id }) =>
        writer.int(permissions).string(scheme).string(id),
      );
      writer.int(operation.mode);
      break;
    case 'delete':
      writer.int(anyVersion);
      break;
    case 'set':
      writer.buffer(operation.data).int(operation.version);
      break;
    case 'check':
      writer.int(operation.version);
      break;
  }
}

/** Bytes that an operation adds to a transaction, not less than it really is. */
export function sizeOf(operation: Operation): number {
  const data = operation.kind === 'create' || operation.kind === 'set' ? operation.data.length : 0;
  return data + Buffer.byteLength(operation.path) + 64;
}

export interface ReplyHead {
  readonly xid: number;
  readonly zxid: bigint;
  readonly error: number;
}

export const readReplyHead = (reader: JuteReader): ReplyHead => ({
  xid: reader.int(),
  zxid: reader.long(),
  error: reader.int(),
});

/** The path of a change that we watched for. */
export function readNotification(reader: JuteReader): string {
  reader.int();
  reader.int();
  return reader.string();
}

export function readStat(reader: JuteReader): NodeStat {
  const createdBy = reader.long();
  for (let longs = 0; longs < 3; longs += 1) reader.long();
  const version = reader.int();
  for (let ints = 0; ints < 2; ints += 1) reader.int();
  reader.long();
  reader.int();
  const children = reader.int();
  reader.long();
  return { createdBy, version, children };
}

const runtimeInconsistency = -2;

/** The place and the number of what failed in a transaction; undefined when all of it was done. */
export function readMultiFailure(reader: JuteReader): { index: number; code: number } | undefined {
  let failure: { index: number; code: number } | undefined;
  for (let index = 0; ; index += 1) {
    const opcode = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) return failure;
    if (opcode === opcodes.create) reader.string();
    else if (opcode === opcodes.set) readStat(reader);
    else if (opcode === -1) {
      const code = reader.int();
      // Those before the one that failed have 0, those after it "runtime inconsistency".
      if (code !== 0 && code !== runtimeInconsistency) failure ??= { index, code };
    }
  }
}
