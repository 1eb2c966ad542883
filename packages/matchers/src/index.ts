export {
  type BootLogDetail,
  type BootLogNormalizer,
  type NormalizeOptions,
  normalizeBootLog,
} from './boot-log/normalize-boot-log.ts'
export { type BootLogOptions, toMatchBootLog } from './boot-log/to-match-boot-log.ts'
export type { FileContent } from './file/guest-file.ts'
export { type HaveFileOptions, toHaveFile } from './file/to-have-file.ts'
export { machineMatchers, type RegisteredMatcher, type Runner } from './machine-matchers.ts'
export type { MatcherContext, MatcherHintOptions, MatcherResult, SnapshotMatcher } from './matcher-context.ts'
export type { MachineMatchers, MatchersOf } from './matcher-types.ts'
export { type Pending, pendingOn } from './pending-matchers.ts'
export type { Box } from './screenshot/picture.ts'
export type { ScreenshotOptions } from './screenshot/screenshot-options.ts'
export { toMatchScreenshot } from './screenshot/to-match-screenshot.ts'
export type { Text } from './text-pattern.ts'
export { TIME_LEFT } from './time-left.ts'
export { type BootOptions, toBoot } from './to-boot.ts'
export { type EventuallyPrintOptions, toEventuallyPrint } from './to-eventually-print.ts'
export { type ExitOptions, toExit } from './to-exit.ts'
export { toHavePrinted } from './to-have-printed.ts'
export { type PanicOptions, toPanic } from './to-panic.ts'
export { type PrintInOrderOptions, toPrintInOrder } from './to-print-in-order.ts'
export { type RunSuccessfullyOptions, type ToRunOptions, toRun, toRunSuccessfully } from './to-run.ts'
export { type ShowTextOptions, toShowText } from './to-show-text.ts'
export { NEGATED_WINDOW_MS, type WindowOptions } from './wait-window.ts'
