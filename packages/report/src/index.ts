export {
  type Attempt,
  artifactRoot,
  attemptDirectory,
  folderName,
  makeFile,
  removeDirectory,
  titleFolder,
} from './attempt-directory.ts'
export { writePage } from './page/write-page.tsx'
export {
  type AttemptReport,
  type ErrorReport,
  type GuestTestReport,
  isFlaky,
  type RunReport,
  type StackFrame,
  type TestReport,
  type TestState,
} from './run-report.ts'
