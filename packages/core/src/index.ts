export { ARCHITECTURES, type Architecture, type ArchitectureTraits, hostArchitecture } from './architecture.ts'
export type { PendingWait } from './console/console.ts'
export type { ExpectOptions } from './console/expect-options.ts'
export type { Match, Pattern, PatternInput } from './console/pattern.ts'
export { describeMachine, type MachineDescription } from './description.ts'
export { arbitraryArgs } from './devices/arbitrary-args.ts'
export type {
  AttachContext,
  Device,
  DeviceContext,
  IdAllocator,
  MachineMonitor,
  MonitorEvent,
  PortForward,
  PrepareContext,
} from './devices/device.ts'
export { virtioRandom } from './devices/virtio-random.ts'
export { type AcceleratorName, type Environment, readEnvironment } from './environment.ts'
export * from './errors.ts'
export { endLiveMachines, liveMachines } from './live-machines.ts'
export { type MachineSpec, resolveOptions } from './machine-spec.ts'
export { DEFAULT_TIMEOUT, type VMOptions } from './options.ts'
export type { ExitReason, ExitStatus } from './qemu/exit-status.ts'
export { VM, type VMState, type WaitOptions } from './vm.ts'
