/** Minimal boot images, written byte by byte. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SECTOR = 512

/**
 * Boot sector of a PC: prints `text` on the first serial port, writes itself to the second sector of its disk, prints
 * `sector written` or `write failed`, and powers off.
 */
export function bootSector(text: string): Buffer {
  const print = [
    ...[0xac, 0x84, 0xc0, 0x74, 0x08], //         print: lodsb; test al, al; jz done
    ...[0x52, 0xba, 0xf8, 0x03, 0xee, 0x5a], //   push dx; mov dx, 0x3f8; out dx, al; pop dx
    ...[0xeb, 0xf3, 0xc3], //                     jmp print; done: ret
  ]
  const code = (greeting: number, written: number, failed: number, printAt: number): number[] => {
    const bytes = [
      ...[0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0], // cli; xor ax, ax; mov ds, es, ss, ax
      // Interrupts are disabled, because the timer of SeaBIOS prints on the serial port in the middle of a line.
      ...[0xbc, 0x00, 0x7c], //                   mov sp, 0x7c00
    ]
    const word = (value: number): [number, number] => [value & 0xff, (value >> 8) & 0xff]
    const call = (): void => void bytes.push(0xe8, ...word(printAt - (0x7c00 + bytes.length + 3)))
    bytes.push(0xbe, ...word(greeting)) //        mov si, greeting
    call()
    bytes.push(0xb8, 0x01, 0x03, 0xbb, 0x00, 0x7c) // mov ax, 0x0301 (write one sector); mov bx, 0x7c00
    bytes.push(0xb9, 0x02, 0x00, 0xb6, 0x00, 0xcd, 0x13) // mov cx, 2; mov dh, 0; int 0x13, dl is the boot disk
    bytes.push(0xbe, ...word(written), 0x73, 0x03, 0xbe, ...word(failed)) // mov si, …; jnc +3; mov si, …
    call()
    bytes.push(0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef) // mov dx, 0x604; mov ax, 0x2000; out dx, ax: off
    bytes.push(0xf4, 0xeb, 0xfd) //               hlt; jmp $ - 1
    return bytes
  }
  const length = code(0, 0, 0, 0).length
  const texts = [`${text}\r\n\0`, 'sector written\r\n\0', 'write failed\r\n\0'].map((part) => Buffer.from(part))
  let at = 0x7c00 + length + print.length
  const [greeting = 0, written = 0, failed = 0] = texts.map((part) => (at += part.length) - part.length)
  const sector = Buffer.alloc(SECTOR)
  Buffer.concat([Buffer.from([...code(greeting, written, failed, 0x7c00 + length), ...print]), ...texts]).copy(sector)
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}

/** A CD-ROM from which a PC boots `sector`, without disk emulation (El Torito 1.0). */
export function bootableIso(sector: Buffer): Buffer {
  const BLOCK = 2048
  const [primary, boot, end, catalog, image] = [16, 17, 18, 19, 20]
  const iso = Buffer.alloc(150 * BLOCK)
  const descriptor = (block: number, type: number): Buffer => {
    const bytes = iso.subarray(block * BLOCK, (block + 1) * BLOCK)
    bytes[0] = type
    bytes.write('CD001\x01', 1, 'latin1')
    return bytes
  }
  descriptor(primary, 1)
  const record = descriptor(boot, 0)
  record.write('EL TORITO SPECIFICATION', 7)
  record.writeUInt32LE(catalog, 0x47)
  descriptor(end, 255)
  const entries = iso.subarray(catalog * BLOCK)
  entries[0] = 1
  entries.writeUInt16LE(0x55aa, 28) // checksum: the 16-bit values of the entry add up to 0
  entries.writeUInt16LE(0xaa55, 30)
  entries[32] = 0x88 // bootable, no emulation
  entries.writeUInt16LE(4, 38) // sectors to load
  entries.writeUInt32LE(image, 40)
  sector.copy(iso, image * BLOCK)
  return iso
}

/** An EFI program that prints `text` on the machine's first serial port and stops. */
function efiProgram(arch: 'x86_64' | 'aarch64', text: string): Buffer {
  const code = Buffer.from(
    arch === 'x86_64'
      ? [
          ...[0x48, 0x8d, 0x35, 0x0d, 0x00, 0x00, 0x00], // lea rsi, [rip + text]
          ...[0x66, 0xba, 0xf8, 0x03], //                   mov dx, 0x3f8
          ...[0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8, 0xf4], // lodsb; test al, al; jz; out dx, al; jmp; hlt
        ]
      : [0x10000100, 0xd2a12001, 0x38401402, 0x34000062, 0x39000022, 0x17fffffd, 0xd503207f, 0x17ffffff].flatMap(
          // adr x0, text; mov x1, 0x9000000; ldrb w2, [x0], 1; cbz w2, stop; strb w2, [x1]; b; stop: wfi; b stop
          (word) => [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff, word >>> 24],
        ),
  )
  const file = Buffer.alloc(0x400)
  file.write('MZ')
  file.writeUInt32LE(0x40, 0x3c)
  file.write('PE\0\0', 0x40)
  file.writeUInt16LE(arch === 'x86_64' ? 0x8664 : 0xaa64, 0x44)
  file.writeUInt16LE(1, 0x46) // sections
  file.writeUInt16LE(0xf0, 0x54) // size of the optional header
  file.writeUInt16LE(0x0022, 0x56) // executable, large addresses
  const optional = file.subarray(0x58)
  optional.writeUInt16LE(0x20b, 0) // PE32+
  optional.writeUInt32LE(0x200, 4) // size of code
  optional.writeUInt32LE(0x1000, 16) // entry point
  optional.writeUInt32LE(0x1000, 20) // base of code
  optional.writeUInt32LE(0x1000, 32) // section alignment
  optional.writeUInt32LE(0x200, 36) // file alignment
  optional.writeUInt32LE(0x2000, 56) // size of the image
  optional.writeUInt32LE(0x200, 60) // size of the headers
  optional.writeUInt16LE(10, 68) // subsystem: EFI application
  optional.writeUInt32LE(16, 108) // data directories
  const section = optional.subarray(0xf0)
  section.write('.text')
  section.writeUInt32LE(0x200, 8) // virtual size
  section.writeUInt32LE(0x1000, 12) // virtual address
  section.writeUInt32LE(0x200, 16) // size in the file
  section.writeUInt32LE(0x200, 20) // offset in the file
  section.writeUInt32LE(0x60000020, 36) // code, readable, executable
  Buffer.concat([code, Buffer.from(`${text}\r\n\0`)]).copy(file, 0x200)
  return file
}

/** A FAT disk that UEFI boots by default, with the program at the path for removable media. */
export function efiDisk(arch: 'x86_64' | 'aarch64', text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  const [disk, program] = [join(folder, 'efi.img'), join(folder, 'program.efi')]
  writeFileSync(program, efiProgram(arch, text))
  const mtools = (command: string, ...args: string[]): void => void execFileSync(command, ['-i', disk, ...args])
  mtools('mformat', '-C', '-f', '1440', '::')
  mtools('mmd', '::/EFI', '::/EFI/BOOT')
  mtools('mcopy', program, `::/EFI/BOOT/${arch === 'x86_64' ? 'BOOTX64' : 'BOOTAA64'}.EFI`)
  rmSync(program)
  return disk
}
