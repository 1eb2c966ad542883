export { finishAbandoned } from './abandoned-records.ts'
export { type ArtifactOptions, type ResolvedArtifacts, type Retention, resolveArtifacts } from './artifact-options.ts'
export {
  type Attempt,
  artifactRoot,
  attemptDirectory,
  folderName,
  machineFolder,
  machineFolders,
  makeFile,
  removeDirectory,
  titleFolder,
  titleKey,
} from './attempt-directory.ts'
export { attempted } from './attempted.ts'
export { type JUnitOutput, junitOutput } from './ci/junit-output.ts'
export { stepSummary } from './ci/step-summary.ts'
export type { GuestTestRecord } from './guest-test-record.ts'
export { loadPage, type PageWriter } from './load-page.ts'
export { type MachineMeta, readMeta } from './machine-meta.ts'
export type { MachineRecord } from './machine-recorder.ts'
export { REDACTED, Redactor } from './redactor.ts'
export { rerunCommand } from './rerun-command.ts'
export { MACHINE_FILE, resumeCommand } from './resume-command.ts'
export {
  type AttemptReport,
  type ErrorReport,
  isFlaky,
  isWorthAPage,
  pageTitle,
  type RunReport,
  type StackFrame,
  type TestReport,
  type TestState,
} from './run-report.ts'
export type { TimelineEntry } from './timeline.ts'
