/** What the keeper of a run needs to restore a machine, as plain data. It does not know the options of machines. */

import type { MemoryTransfer } from '../../qemu/migration.ts'

/** A machine to restore. */
export interface MachineRecipe {
  readonly name: string
  /** Command of QEMU, with {@link PRIVATE_DIRECTORY} for the private directory of the machine. */
  readonly argv: readonly string[]
  /** Descriptors of QEMU that are sockets. */
  readonly sockets: readonly number[]
  /** Folder whose content is copied to the private directory. */
  readonly files: string
  /** Where the guest memory is. */
  readonly memory: MemoryTransfer
  /** File with the device state. */
  readonly state: string
  /** URI of the device state, from `incomingState`. */
  readonly uri: string
  /** What the guest's shell prints when it waits for input; undefined if the guest is not warmed up. */
  readonly prompt?: string | undefined
}

/** Path in a {@link MachineRecipe} that stands for the private directory. */
export const PRIVATE_DIRECTORY = '/coldboot-private-directory'
