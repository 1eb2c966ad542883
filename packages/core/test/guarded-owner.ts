/** A process that owns a guarded child and waits to be killed. Run with the guard's kind and a FIFO the child holds open. */
import type { GuardKind } from '../src/qemu/parent-guard.ts'
import { spawnQemu } from '../src/qemu/process.ts'

const [, , kind, fifo = ''] = process.argv
// Like QEMU, the program notices nothing by itself: without a guard it stays for a minute.
const child = await spawnQemu(['sh', '-c', 'exec 9>"$0"; echo up >&9; exec sleep 60', fifo], {
  sockets: [4],
  guard: kind as GuardKind,
})
await child.exited
