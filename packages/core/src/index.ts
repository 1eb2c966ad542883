export type { PendingWait } from './console/console.ts'
export type { ExpectOptions } from './console/expect/expect-options.ts'
export { lastStage } from './console/failure/boot-stage.ts'
export { machineSections, type ShownMachine } from './console/failure/machine-sections.ts'
export type { CustomGuestFailure, GuestFailureOptions } from './console/incident/guest-failure-options.ts'
export type { Incident } from './console/incident/incident.ts'
export type { GuestFailureName } from './console/incident/incident-kinds.ts'
export type { LogFile, LogFilter } from './console/log/log-file.ts'
export { describePatterns, type Match, type Pattern, type PatternInput, patternList } from './console/match/pattern.ts'
export { CleanText } from './console/text/decoder.ts'
export { arbitraryArgs } from './devices/arbitrary-args.ts'
export { type Balloon, type BalloonHandle, balloon } from './devices/balloon.ts'
export { type BlockDeviceOptions, blockDevice } from './devices/block-device.ts'
export { type Channel, type ChannelPort, channel, type DoneEvent } from './devices/channel.ts'
export type {
  AttachContext,
  Device,
  DeviceContext,
  IdAllocator,
  PortForward,
  PrepareContext,
  QmpClient,
  QmpEvent,
  RestoreAttachment,
  ValidateContext,
} from './devices/device.ts'
export type { DiskFormat } from './devices/disk/disk-image.ts'
export type { DiskInterface } from './devices/disk/disk-interface.ts'
export { type Display, type DisplayOptions, display, type Screen } from './devices/display.ts'
export { type DevicesByArch, forArch } from './devices/for-arch.ts'
export type { SignalOptions } from './devices/helpers/abortable.ts'
export type { NicModel } from './devices/helpers/nic-model.ts'
export { type OptionValues, optionString } from './devices/helpers/option-string.ts'
export { PerMachine } from './devices/helpers/per-machine.ts'
export { type FrameLogOptions, Network, type NetworkMember, type NicOptions } from './devices/network.ts'
export type { NetworkNic } from './devices/network-nic.ts'
export { type P9DirectoryOptions, type P9SecurityModel, p9Directory } from './devices/p9-directory.ts'
export { pvpanic } from './devices/pvpanic.ts'
export { type ReadOnlyDirectoryOptions, readOnlyDirectory } from './devices/read-only-directory.ts'
export { type Serial, type SerialOptions, type SerialPort, serial } from './devices/serial.ts'
export { type UefiOptions, uefi } from './devices/uefi.ts'
export {
  type ForwardOptions,
  type UserNetwork,
  type UserNetworkHandle,
  type UserNetworkOptions,
  userNetwork,
} from './devices/user-network.ts'
export { virtioRandom } from './devices/virtio-random.ts'
export { type Vsock, type VsockOptions, vsock } from './devices/vsock.ts'
export {
  type Watchdog,
  type WatchdogAction,
  type WatchdogHandle,
  type WatchdogOptions,
  watchdog,
} from './devices/watchdog.ts'
export * from './errors.ts'
export type * from './events/machine-event.ts'
export type { FileOptions, ReadFileOptions, WriteFileOptions } from './guest/files/file-options.ts'
export { GuestFileError } from './guest/files/guest-file-error.ts'
export { type FailedCommand, formatCommand, GuestCommandError } from './guest/guest-command-error.ts'
export type { EventsOptions } from './guest/guest-events.ts'
export type { LoginOptions } from './guest/login.ts'
export type { PendingCall } from './guest/pending-calls.ts'
export type { CommandResult, GuestTransport, OutputEncoding, OutputOf, RunOptions } from './guest/run-options.ts'
export type { TestFormat } from './guest/test-reports/guest-test.ts'
export { GuestTestsError } from './guest/test-reports/guest-tests-error.ts'
export type { GuestTestRun, RunTestsOptions } from './guest/test-reports/run-tests.ts'
export type { WaitUntilOptions, WaitUntilResult } from './guest/wait-until.ts'
export { Cache, fileSha256, type StoredFile } from './host/cache.ts'
export { CallSite } from './host/call-site.ts'
export { type AcceleratorName, type Environment, readEnvironment } from './host/environment.ts'
export { endLiveMachines, liveMachines } from './host/live-machines.ts'
export type { DebugOptions } from './machine/debug-session.ts'
export { describeMachine, type MachineDescription } from './machine/description.ts'
export type { MachineState } from './machine/running-machine.ts'
export { VM, type WaitOptions } from './machine/vm.ts'
export type { Capture } from './network/capture.ts'
export type { DecodedFrame, FrameDirection, FrameProtocol } from './network/frames/frame.ts'
export type { Frame, FrameFilter, FrameFilterInput } from './network/frames/frame-filter.ts'
export type { FrameLog, FrameWaitOptions } from './network/frames/frame-log.ts'
export type { Impairment } from './network/impairment.ts'
export { ARCHITECTURES, type Architecture, type ArchitectureTraits, hostArchitecture } from './options/architecture.ts'
export { memoryMibOf, requireObject } from './options/checked-options.ts'
export { describeExit, type ExitReason, type ExitStatus } from './qemu/exit-status.ts'
export { locateQemu } from './qemu/locate.ts'
export { chooseAccelerator } from './spec/accelerator.ts'
export type { MachineObserver, ObservedMachine } from './spec/machine-observer.ts'
export { type MachineSpec, resolveOptions } from './spec/machine-spec.ts'
export { DEFAULT_TIMEOUT, DEFAULTS, type VMOptions } from './spec/vm-options.ts'
export {
  checkReadyOptions,
  type ReadyOptions,
  type Starter,
  startReady,
  type TemplatePolicy,
} from './template/start-ready.ts'
export type { PruneLimits } from './template/store/template-store.ts'
export { Template, type TemplateOptions, type TemplateOverrides, templateStore } from './template/template.ts'
export { endPool } from './template/warm-pool.ts'
