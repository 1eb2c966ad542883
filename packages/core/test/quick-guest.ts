/**
 * A guest that boots in a fraction of a second, for tests that need no Linux: a boot sector that prints that it is
 * ready, and then answers letters in upper case.
 */
import { writeFileSync } from 'node:fs'
import { blockDevice } from '../src/devices/block-device.ts'
import type { Device } from '../src/devices/device.ts'
import type { VM } from '../src/machine/vm.ts'
import type { MachineOptions } from '../src/spec/machine-options.ts'

const ORIGIN = 0x7c00
const READY = 'ready to answer\n'

/** Memory of the guest, MiB. */
export const QUICK_MEMORY_MIB = 16

function sector(): Buffer {
  const word = (value: number): readonly [number, number] => [value & 0xff, value >> 8]
  const out = (port: number, value: number): readonly number[] => [0xba, ...word(port), 0xb0, value, 0xee]
  // Answers all input of the first serial port.
  const handler = [
    ...[0x50, 0x52], //                               push ax; push dx
    ...[0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01], //       next: mov dx, 0x3fd; in al, dx; test al, 1
    ...[0x74, 0x08], //                               jz end
    ...[0xb2, 0xf8, 0xec, 0x24, 0xdf, 0xee], //       mov dl, 0xf8; in al, dx; and al, 0xdf; out dx, al
    ...[0xeb, 0xf0], //                               jmp next
    ...[0xb0, 0x20, 0xe6, 0x20], //                   end: mov al, 0x20; out 0x20, al
    ...[0x5a, 0x58, 0xcf], //                         pop dx; pop ax; iret
  ]
  const main = (handlerAt: number, textAt: number): readonly number[] => [
    ...[0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0], // cli; xor ax, ax; mov ds, ax; mov ss, ax
    ...[0xbc, ...word(ORIGIN)], //                    mov sp, ORIGIN
    // Only the interrupt of the serial port is enabled, because the timer of SeaBIOS prints too.
    ...[0xc7, 0x06, 0x30, 0x00, ...word(handlerAt)], // mov word [4 * 0x0c], handler
    ...[0xa3, 0x32, 0x00], //                         mov [4 * 0x0c + 2], ax
    ...[0xb0, 0xef, 0xe6, 0x21], //                   mov al, 0xef; out 0x21, al
    ...[0xb0, 0xff, 0xe6, 0xa1], //                   mov al, 0xff; out 0xa1, al
    // 8 bits; no FIFO, so that each byte causes an interrupt at once; enable input interrupts and the interrupt line.
    ...[...out(0x3fb, 0x03), ...out(0x3fa, 0x00), ...out(0x3f9, 0x01), ...out(0x3fc, 0x0b)],
    ...[0xbe, ...word(textAt), 0xba, 0xf8, 0x03], //  mov si, text; mov dx, 0x3f8
    ...[0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8], // print: lodsb; test al, al; jz wait; out dx, al; jmp print
    ...[0xfb, 0xf4, 0xeb, 0xfc], //                   wait: sti; hlt; jmp wait
  ]
  const { length } = main(0, 0)
  const bytes = Buffer.alloc(512)
  const code = main(ORIGIN + length, ORIGIN + length + handler.length)
  Buffer.from([...code, ...handler, ...Buffer.from(`${READY}\0`)]).copy(bytes)
  bytes.writeUInt16LE(0xaa55, 510)
  return bytes
}

/** Options of the guest. @param image path of the disk, which is created */
export function quickGuest(image: string): MachineOptions & { readonly devices: readonly Device[] } {
  writeFileSync(image, Buffer.concat([sector()], 1 << 20))
  return {
    arch: 'x86_64',
    memory: `${QUICK_MEMORY_MIB}M`,
    ready: READY,
    timeout: 60_000,
    devices: [blockDevice(image, { boot: true })],
  }
}

/** Waits for an answer of the guest. */
export async function expectAnswer(vm: VM): Promise<void> {
  vm.send('works\n')
  await vm.expect('WORKS\n')
}
