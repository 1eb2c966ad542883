/** The version of Node that this project needs. */
import { StartError } from '../errors.ts'

const MAJOR = 22
const MINOR = 12

/** As `engines` in the package.json of each package. */
export const OLDEST_NODE: string = `${MAJOR}.${MINOR}`

/**
 * Refuses an older Node. Otherwise the first machine fails with an error about a function that Node does not have.
 * @throws StartError `NODE_TOO_OLD`
 */
export function requireNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return
  throw new StartError('NODE_TOO_OLD', `This is Node ${version}, and coldboot needs ${OLDEST_NODE} or newer`)
}
