/** Restores a saved machine with minimal code, as the baseline of the benchmarks. */
import { join } from 'node:path'
import { ARCHITECTURES, readEnvironment } from '@coldboot/core/internal'
import { type BareQemu, bareQemu } from './bare-qemu.ts'

/** QEMU's arguments for the guest of @coldboot/guest, from the files of a template in `folder`. */
function restoring(folder: string): readonly string[] {
  const { cpu } = ARCHITECTURES.x86_64
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-cpu', cpu, '-m', '256M', '-smp', '1', '-no-reboot'],
    ...['-machine', 'pc,accel=tcg,graphics=off,memory-backend=memory', '-device', 'vmgenid,guid=auto'],
    ...['-object', `memory-backend-file,id=memory,size=256M,mem-path=${join(folder, 'memory')},share=off`],
    ...['-incoming', 'defer'],
  ]
}

/** Starts QEMU from a template without an agent. @param key of the template */
export async function bareRestore(key: string): Promise<BareQemu> {
  const folder = join(readEnvironment().cacheDirectory, 'templates', key)
  const qemu = bareQemu(restoring(folder), join(folder, 'state'))
  const capabilities = ['x-ignore-shared', 'events'].map((capability) => ({ capability, state: true }))
  qemu.qmp(['qmp_capabilities'], ['migrate-set-capabilities', { capabilities }], ['migrate-incoming', { uri: 'fd:5' }])
  await qemu.said('"completed"')
  qemu.qmp(['cont'])
  return qemu
}
