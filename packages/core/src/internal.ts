export { lastStage } from './console/failure/boot-stage.ts'
export { guestSections } from './console/failure/guest-sections.ts'
export { machineSections, type ShownMachine } from './console/failure/machine-sections.ts'
export { shortCommandLine } from './console/failure/short-command-line.ts'
export { describePatterns, patternList } from './console/match/pattern.ts'
export { CleanText } from './console/text/decoder.ts'
export { codeOf, ERROR_CODES, layoutMessage, layoutSections, messageOf } from './errors.ts'
export { machineShownBy } from './events/shown-machine.ts'
export { formatDuration } from './format-duration.ts'
export { commandHint, formatCommand } from './guest/guest-command-error.ts'
export { CallSite } from './host/call-site.ts'
export { afterReading, LONGEST_TIMER, now, startTimer, stopTimer, wallClock } from './host/clock.ts'
export {
  type Environment,
  environmentWithoutDebugger,
  readEnvironment,
  setProgressSocket,
  warnOfUnknownVariables,
} from './host/environment.ts'
export { Cache, fileSha256, type StoredFile } from './host/files/cache.ts'
export { fileDigest, fileIdentity } from './host/files/file-digest.ts'
export { makeSocketDirectory } from './host/files/socket-directory.ts'
export { nodeCrypto } from './host/lazy-node.ts'
export { cleanUp } from './host/machines/clean-up.ts'
export { endLiveMachines, liveMachines } from './host/machines/live-machines.ts'
export { memoryLimit } from './host/machines/memory-limit.ts'
export { isAlive, thisProcess } from './host/process-identity.ts'
export { warnOnce } from './host/warnings.ts'
export { ARCHITECTURES, type ArchitectureTraits, hostArchitecture, isArchitecture } from './options/architecture.ts'
export {
  type CheckTable,
  checkTable,
  isFlag,
  isMemorySize,
  isObject,
  isPath,
  isString,
  memoryMibOf,
  oneOf,
  requireObject,
} from './options/checked-options.ts'
export { didYouMean } from './options/did-you-mean.ts'
export { type PendingOptions, pendingOptions } from './options/pending-options.ts'
export { requireDirectory, requireFile } from './options/required-path.ts'
export { describeExit, EXIT_REASONS } from './qemu/exit-status.ts'
export { locateQemu } from './qemu/locate.ts'
export { hostGuard } from './qemu/process.ts'
export { requireHost } from './qemu/required-host.ts'
export { chooseAccelerator } from './spec/accelerator.ts'
export { architectureOfKernel } from './spec/load-kernel-architecture.ts'
export { DEFAULTS } from './spec/machine-options.ts'
export { resolveOptions } from './spec/machine-spec.ts'
export { RESTORE_CHECKS } from './spec/restore-overrides.ts'
export { KEEPER_SOCKET, keeperScript } from './template/keeper/keeper-script.ts'
export { type RunnerOptions } from './template/start-ready.ts'
export { type PruneLimits } from './template/store/template-store.ts'
export { checkVMOptions } from './template/vm-options.ts'
export { exportTemplates, importTemplates, templateStore } from './template.ts'
export { startReady } from './vm.ts'
