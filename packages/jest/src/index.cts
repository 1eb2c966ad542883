/**
 * Entry for test files. CommonJS, so that test files of both module types can load it. Its exports come from the test
 * environment.
 * @see bridge.ts
 */

import type * as coreModule from '@coldboot/core' with { 'resolution-mode': 'import' }
import type { Bridge } from './bridge.ts' with { 'resolution-mode': 'import' }

// One statement per name, because Jest finds the exports of a CommonJS module in its source text.
export type * from '@coldboot/core' with { 'resolution-mode': 'import' }
export type {
  HostRootOptions,
  Kernel,
  KernelOfOptions,
  LinuxGuest,
  LinuxGuestOptions,
  RootfsGuest,
  RootfsOptions,
} from '@coldboot/guest' with { 'resolution-mode': 'import' }
export type { Machines, MachineTest, VMOptionsSource } from './bridge.ts' with { 'resolution-mode': 'import' }

const bridge: Bridge | undefined = Reflect.get(globalThis, Symbol.for('coldboot.jest'))
if (bridge === undefined) {
  const what = 'This test does not run in the environment of @coldboot/jest'
  const hint =
    'Set `preset: "@coldboot/jest"` in the Jest configuration, or `testEnvironment: "@coldboot/jest/environment"`.'
  throw Object.assign(new Error(`${what}\n${hint}`), { code: 'JEST_ENVIRONMENT_MISSING' })
}

export const useVM: Bridge['useVM'] = bridge.useVM
export const withVM: Bridge['withVM'] = bridge.withVM
export const bootVM: Bridge['bootVM'] = bridge.bootVM

const { core, guest } = bridge.modules

export const kernelOf: Bridge['modules']['guest']['kernelOf'] = guest.kernelOf
export const linuxGuest: Bridge['modules']['guest']['linuxGuest'] = guest.linuxGuest
export const rootfs: Bridge['modules']['guest']['rootfs'] = guest.rootfs
export const hostRoot: Bridge['modules']['guest']['hostRoot'] = guest.hostRoot
export const CloudInitError: typeof coreModule.CloudInitError = core.CloudInitError
export type CloudInitError = coreModule.CloudInitError
export const ColdbootError: typeof coreModule.ColdbootError = core.ColdbootError
export type ColdbootError = coreModule.ColdbootError
export const DEFAULT_TIMEOUT: typeof coreModule.DEFAULT_TIMEOUT = core.DEFAULT_TIMEOUT
export const ExpectError: typeof coreModule.ExpectError = core.ExpectError
export type ExpectError = coreModule.ExpectError
export const GuestCommandError: typeof coreModule.GuestCommandError = core.GuestCommandError
export type GuestCommandError = coreModule.GuestCommandError
export const GuestError: typeof coreModule.GuestError = core.GuestError
export type GuestError = coreModule.GuestError
export const GuestFileError: typeof coreModule.GuestFileError = core.GuestFileError
export type GuestFileError = coreModule.GuestFileError
export const GuestTestsError: typeof coreModule.GuestTestsError = core.GuestTestsError
export type GuestTestsError = coreModule.GuestTestsError
export const MachineError: typeof coreModule.MachineError = core.MachineError
export type MachineError = coreModule.MachineError
export const Network: typeof coreModule.Network = core.Network
export type Network = coreModule.Network
export const OptionError: typeof coreModule.OptionError = core.OptionError
export type OptionError = coreModule.OptionError
export const PerMachine: typeof coreModule.PerMachine = core.PerMachine
export type PerMachine<T> = coreModule.PerMachine<T>
export const StartError: typeof coreModule.StartError = core.StartError
export type StartError = coreModule.StartError
export const Template: typeof coreModule.Template = core.Template
export type Template = coreModule.Template
export const TemplateError: typeof coreModule.TemplateError = core.TemplateError
export type TemplateError = coreModule.TemplateError
export const VM: typeof coreModule.VM = core.VM
export type VM = coreModule.VM
export const arbitraryArgs: typeof coreModule.arbitraryArgs = core.arbitraryArgs
export const balloon: typeof coreModule.balloon = core.balloon
export const blockDevice: typeof coreModule.blockDevice = core.blockDevice
export const channel: typeof coreModule.channel = core.channel
export const cloudInit: typeof coreModule.cloudInit = core.cloudInit
export const describeMachine: typeof coreModule.describeMachine = core.describeMachine
export const display: typeof coreModule.display = core.display
export const endPool: typeof coreModule.endPool = core.endPool
export const forArch: typeof coreModule.forArch = core.forArch
export const icount: typeof coreModule.icount = core.icount
export const optionString: typeof coreModule.optionString = core.optionString
export const p9Directory: typeof coreModule.p9Directory = core.p9Directory
export const pvpanic: typeof coreModule.pvpanic = core.pvpanic
export const readOnlyDirectory: typeof coreModule.readOnlyDirectory = core.readOnlyDirectory
export const rtc: typeof coreModule.rtc = core.rtc
export const serial: typeof coreModule.serial = core.serial
export const tpm: typeof coreModule.tpm = core.tpm
export const uefi: typeof coreModule.uefi = core.uefi
export const userNetwork: typeof coreModule.userNetwork = core.userNetwork
export const virtioRandom: typeof coreModule.virtioRandom = core.virtioRandom
export const vsock: typeof coreModule.vsock = core.vsock
export const watchdog: typeof coreModule.watchdog = core.watchdog
