/** The version of Node that this project needs. */
import { StartError } from '../errors.ts'

const MAJOR = 22
const MINOR = 12

/** Equal to `engines` in the package.json of each package. */
export const OLDEST_NODE: string = `${MAJOR}.${MINOR}`

/**
 * Rejects an older Node. Without this check, the first machine would fail because Node lacks a function.
 * @throws StartError `NODE_TOO_OLD`
 */
export function requireNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return
  throw new StartError('NODE_TOO_OLD', `This is Node ${version}, and coldboot needs ${OLDEST_NODE} or newer`)
}
