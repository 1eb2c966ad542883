export * from '@coldboot/core'
export type {
  HostRootOptions,
  Kernel,
  KernelOfOptions,
  LinuxGuest,
  LinuxGuestOptions,
  RootfsGuest,
  RootfsOptions,
} from '@coldboot/guest'
export { hostRoot, kernelOf, linuxGuest, rootfs } from '@coldboot/runner'
export { afterAll, afterEach, aroundAll, aroundEach, beforeAll, beforeEach, describe, suite, vi } from 'vitest'
export type {} from './augmentation.ts'
export { expect } from './expect.ts'
export { type MachineFixtures, test, test as it } from './machine-fixtures.ts'
