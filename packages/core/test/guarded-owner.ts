/**
 * Process that owns a guarded child and waits until it is killed. Arguments: kind of the guard, and a FIFO that the
 * child keeps open.
 */
import type { GuardKind } from '../src/qemu/parent-guard.ts'
import { spawnQemu } from '../src/qemu/process.ts'

const [, , kind, fifo = ''] = process.argv
// Like QEMU, the program does not notice the end of its parent. Without a guard, it runs for a minute.
const child = await spawnQemu(['sh', '-c', 'exec 9>"$0"; echo up >&9; exec sleep 60', fifo], {
  sockets: [4],
  guard: kind as GuardKind,
})
await child.exited
