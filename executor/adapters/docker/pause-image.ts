import { PatchpanelError } from '../../../src/runtime/errors.ts';

/** The image of every sandbox: one static program that sleeps for ever. */
export const pauseImage = { repository: 'patchpanel/pause', tag: '1', name: 'patchpanel/pause:1' } as const;

interface Machine {
  /** ELF's e_machine. */
  readonly elf: number;
  /** Position-independent code: call pause(2), then again. */
  readonly code: readonly number[];
}

const machines: Readonly<Record<string, Machine>> = {
  // mov eax, 34 (pause); syscall; jmp to the start
  x64: { elf: 62, code: [0xb8, 0x22, 0x00, 0x00, 0x00, 0x0f, 0x05, 0xeb, 0xf7] },
  // This kernel interface has no pause: ppoll(0, 0, 0, 0) waits for ever just as well.
  // mov x0, 0; mov x1, 0; mov x2, 0; mov x3, 0; mov x8, 73 (ppoll); svc 0; b to the start
  arm64: {
    elf: 183,
    code: [0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800928, 0xd4000001, 0x17fffffa].flatMap(
      (word) => [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, (word >>> 24) & 0xff],
    ),
  },
};

const elfHeaderBytes = 64;
const programHeaderBytes = 56;
const loadAddress = 0x400000n;

/**
 * A static Linux program of about 130 bytes that only sleeps, for a processor as Node names it (`x64`, `arm64`).
 * @throws PatchpanelError `invalid` for any other processor
 */
export function pauseProgram(arch: string): Buffer {
  const machine = machines[arch];
  if (machine === undefined) {
    throw new PatchpanelError(
      'invalid',
      `no sandbox program for ${arch} processors; there is one for x64 and arm64`,
    );
  }
  const headers = elfHeaderBytes + programHeaderBytes;
  const size = headers + machine.code.length;
  const elf = Buffer.alloc(size);
  elf.write('\x7fELF', 0, 'latin1');
  elf.set([2, 1, 1], 4); // 64 bits, little endian, version 1
  elf.writeUInt16LE(2, 16); // an executable
  elf.writeUInt16LE(machine.elf, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(loadAddress + BigInt(headers), 24); // where it starts
  elf.writeBigUInt64LE(BigInt(elfHeaderBytes), 32); // where the program headers are
  elf.writeUInt16LE(elfHeaderBytes, 52);
  elf.writeUInt16LE(programHeaderBytes, 54);
  elf.writeUInt16LE(1, 56); // one program header
  elf.writeUInt32LE(1, 64); // load …
  elf.writeUInt32LE(5, 68); // … readable and executable
  elf.writeBigUInt64LE(loadAddress, 80);
  elf.writeBigUInt64LE(loadAddress, 88);
  elf.writeBigUInt64LE(BigInt(size), 96);
  elf.writeBigUInt64LE(BigInt(size), 104);
  elf.writeBigUInt64LE(0x1000n, 112); // aligned to a page
  elf.set(machine.code, headers);
  return elf;
}

/** A tar archive with `/pause` alone, as `docker import` takes it. */
export function pauseArchive(arch: string): Buffer {
  const program = pauseProgram(arch);
  const padding = Buffer.alloc((512 - (program.length % 512)) % 512);
  return Buffer.concat([tarHeader('pause', program.length), program, padding, Buffer.alloc(1024)]);
}

/** The header of a file that everybody may run, in the ustar format. */
function tarHeader(name: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(name, 0);
  block.write(octal(0o755, 7), 100);
  block.write(octal(0, 7), 108); // user
  block.write(octal(0, 7), 116); // group
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136); // modified
  block.write(' '.repeat(8), 148); // the checksum counts itself as blanks
  block.write('0', 156); // a regular file
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
