/** Plain data from which the keeper of a run restores a machine, without the options of the machine. */

import type { MemoryTransfer } from '../../qemu/migration.ts'
import type { WarmUpExchange } from '../pool/warm-up.ts'

/** A machine to restore. */
export interface MachineRecipe {
  readonly name: string
  /** Command of QEMU, with {@link PRIVATE_DIRECTORY} for the private directory of the machine. */
  readonly argv: readonly string[]
  /** Numbers of the descriptors of QEMU that are sockets. */
  readonly sockets: readonly number[]
  /** Folder whose content is copied to the private directory. */
  readonly files: string
  /** Location of the guest memory. */
  readonly memory: MemoryTransfer
  /** File with the device state. */
  readonly state: string
  /** URI of the device state, from `incomingState`. */
  readonly uri: string
  /** Multiplier of the time limits. */
  readonly timeoutMultiplier: number
  /** How the guest is warmed up. @default not at all */
  readonly warmUp?: WarmUpExchange | undefined
  /** Descriptor in QEMU of the stream for the warm-up. @default the console */
  readonly warmUpFd?: number | undefined
}

/** Placeholder for the path of the private directory in a {@link MachineRecipe}. */
export const PRIVATE_DIRECTORY = '/coldboot-private-directory'
