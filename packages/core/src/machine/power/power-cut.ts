/** Cuts the power of a machine, and boots it again with the same disks. */
import { cp, link, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TRANSIENT } from '../../devices/helpers/transient-file.ts'
import { MachineError } from '../../errors.ts'
import { launch } from '../launch.ts'
import { RunningMachine } from '../running-machine.ts'
import { emit, requirePower } from './power-actions.ts'

/** Kills QEMU, so that the machine loses everything except its disks. @throws MachineError `MACHINE_EXITED` */
export async function cutPower(running: RunningMachine): Promise<void> {
  requirePower(running)
  await running.replace('its power was cut (`powerCut()`)')
  emit(running, 'cut')
}

/**
 * Boots a machine whose power was cut, with the files of its devices, its log and its observer.
 *
 * @returns the machine; the caller calls its `begin`
 * @throws StartError as `launch`; MachineError `MACHINE_POWERED` when the power was not cut
 */
export async function powerOn(off: RunningMachine): Promise<RunningMachine> {
  if (!off.isReplaced || off.state !== 'exited') {
    throw new MachineError('MACHINE_POWERED', `Machine "${off.spec.name}" was not powered off by \`powerCut()\``)
  }
  // In a cold boot, the kernel command line contains the mounts of shared directories, so they are not attached later.
  const spec = { ...off.spec, attachesAfterRestore: false }
  const launched = await launch(spec, { files: (directory) => linkFiles(off.directory, directory) })
  const running = await RunningMachine.adopt(spec, launched, undefined, off)
  await off.discard()
  emit(running, 'on')
  return running
}

/** Links the files into the new directory. The old directory keeps them, so a failed start does not remove them. */
async function linkFiles(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (entry.name.startsWith(TRANSIENT)) continue
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isFile()) await link(source, target)
    else if (entry.isDirectory()) await cp(source, target, { recursive: true })
  }
}
