export {
  type Attempt,
  artifactRoot,
  attemptDirectory,
  folderName,
  makeFile,
  removeDirectory,
  titleFolder,
} from './attempt-directory.ts'
