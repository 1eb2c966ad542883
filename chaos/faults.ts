/** All faults of `pnpm chaos`. */
import { FILE_FAULTS } from './file-faults.ts'
import { GUEST_FAULTS } from './guest-faults.ts'
import { HOST_FAULTS } from './host-faults.ts'
import { PROCESS_FAULTS } from './process-faults.ts'

/** Faults by name. */
export const FAULTS = { ...PROCESS_FAULTS, ...GUEST_FAULTS, ...FILE_FAULTS, ...HOST_FAULTS } as const

/** Name of a fault. */
export type FaultName = keyof typeof FAULTS
