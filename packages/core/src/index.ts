export { type PendingWait } from './console/console.ts'
export { type ExpectOptions } from './console/expect/expect-options.ts'
export { type CustomGuestFailure, type GuestFailureOptions } from './console/incident/guest-failure-options.ts'
export { type Incident } from './console/incident/incident.ts'
export { type GuestFailureName } from './console/incident/incident-kinds.ts'
export { type LogFile, type LogFilter } from './console/log/log-file.ts'
export { type Match, type Pattern, type PatternInput } from './console/match/pattern.ts'
export { type ConsoleTerminal, type TerminalCursor, type TerminalOptions } from './console/terminal/terminal.ts'
export type { ViewName } from './console/text/console-text.ts'
export { arbitraryArgs } from './devices/arbitrary-args.ts'
export { type Balloon, type BalloonHandle, balloon } from './devices/balloon.ts'
export { type BlockDeviceOptions, blockDevice } from './devices/block-device.ts'
export { type Channel, type ChannelPort, channel, type DoneEvent } from './devices/channel.ts'
export { type CloudConfig, type CloudInitOptions, cloudInit } from './devices/cloud-init.ts'
export {
  type AttachContext,
  type Device,
  type DeviceContext,
  type HelperCommand,
  type HelperContext,
  type IdAllocator,
  type PlainValue,
  type PortableDevice,
  type PortForward,
  type PrepareContext,
  type QmpClient,
  type QmpEvent,
  type RestoreAttachment,
  type ValidateContext,
} from './devices/device.ts'
export { type DiskFormat } from './devices/disk/disk-image.ts'
export { type DiskInterface } from './devices/disk/disk-interface.ts'
export { type Display, type DisplayOptions, display } from './devices/display.ts'
export { type DevicesByArch, forArch } from './devices/for-arch.ts'
export { type SignalOptions } from './devices/helpers/abortable.ts'
export { type NicModel } from './devices/helpers/nic-model.ts'
export { type OptionValues, optionString } from './devices/helpers/option-string.ts'
export { PerMachine } from './devices/helpers/per-machine.ts'
export { type IcountOptions, icount } from './devices/icount.ts'
export { type FrameLogOptions, Network, type NetworkMember, type NicOptions } from './devices/network.ts'
export { type NetworkNic } from './devices/network-nic.ts'
export { type P9DirectoryOptions, type P9SecurityModel, p9Directory } from './devices/p9-directory.ts'
export { pvpanic } from './devices/pvpanic.ts'
export { type ReadOnlyDirectoryOptions, readOnlyDirectory } from './devices/read-only-directory.ts'
export { type RtcOptions, rtc } from './devices/rtc.ts'
export { type KeyboardLayout } from './devices/screen/keyboard-layouts.ts'
export {
  type ClickOptions,
  type Point,
  type PressOptions,
  type Screen,
  type ScreenTextOptions,
  type TypeOptions,
  type WheelOptions,
} from './devices/screen/screen.ts'
export { type Serial, type SerialOptions, type SerialPort, serial } from './devices/serial.ts'
export { type TpmOptions, tpm } from './devices/tpm.ts'
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
export {
  ColdbootError,
  type ColdbootErrorOptions,
  type ErrorCode,
  ExpectError,
  GuestError,
  MachineError,
  OptionError,
  StartError,
  TemplateError,
} from './errors.ts'
export type * from './events/machine-event.ts'
export { CloudInitError, type FailedCloudInit } from './guest/cloud-init/cloud-init-error.ts'
export type { CloudInitFailure } from './guest/cloud-init/cloud-init-report.ts'
export type { CloudInitResult, WaitForCloudInitOptions } from './guest/cloud-init/wait-for-cloud-init.ts'
export { type DuringOptions } from './guest/during.ts'
export type { CoverageOptions } from './guest/files/coverage.ts'
export { type FileOptions, type ReadFileOptions, type WriteFileOptions } from './guest/files/file-options.ts'
export { GuestFileError } from './guest/files/guest-file-error.ts'
export { type FailedCommand, GuestCommandError } from './guest/guest-command-error.ts'
export { type EventsOptions } from './guest/guest-events.ts'
export type { LoginOptions, LoginPrompts } from './guest/login.ts'
export { type PendingCall } from './guest/pending-calls.ts'
export {
  type CommandResult,
  type GuestTransport,
  type OutputEncoding,
  type OutputOf,
  type RunOptions,
} from './guest/run-options.ts'
export { type TestFormat } from './guest/test-reports/guest-test.ts'
export { type FailedTestRun, GuestTestsError } from './guest/test-reports/guest-tests-error.ts'
export { type GuestTestRun, type RunTestsOptions } from './guest/test-reports/run-tests.ts'
export { type WaitUntilOptions, type WaitUntilResult } from './guest/wait-until.ts'
export { type AcceleratorName } from './host/environment.ts'
export { type Checkpoint } from './machine/checkpoint.ts'
export { type DebugOptions } from './machine/debug/debug-session.ts'
export { type DumpOptions } from './machine/debug/dump-memory.ts'
export { describeMachine, type MachineDescription } from './machine/description.ts'
export { type MachineState } from './machine/running-machine.ts'
export { type ResumeOptions } from './machine/save/load-machine.ts'
export { type SaveOptions } from './machine/save/save-machine.ts'
export { type WaitForExitOptions } from './machine/wait-for-exit.ts'
export type { Capture, CaptureOptions } from './network/capture.ts'
export { type DecodedFrame, type FrameDirection, type FrameProtocol } from './network/frames/frame.ts'
export { type Frame, type FrameFilter, type FrameFilterInput } from './network/frames/frame-filter.ts'
export { type FrameLog, type FrameWaitOptions } from './network/frames/frame-log.ts'
export { type Impairment } from './network/impairment.ts'
export { type Architecture } from './options/architecture.ts'
export type { MemorySize } from './options/checked-options.ts'
export { type ExitReason, type ExitStatus } from './qemu/exit-status.ts'
export { type MachineObserver, type ObservedMachine } from './spec/machine-observer.ts'
export { DEFAULT_TIMEOUT, type MachineOptions } from './spec/machine-options.ts'
export { type MachineSpec } from './spec/machine-spec.ts'
export { type RestoreOverrides } from './spec/restore-overrides.ts'
export { endPool } from './template/pool/end-pool.ts'
export { type PreparationOptions, type Prepare } from './template/preparation.ts'
export { type ExtendOptions, type TemplateOptions } from './template/template.ts'
export { type TemplatePolicy, type VMOptions } from './template/vm-options.ts'
export { Template, type TemplateBuilds } from './template.ts'
export { VM, type VMStarts } from './vm.ts'
