/** The version of Node that this project needs. */
import { StartError } from '../errors.ts'

/** As `engines` in the package.json of each package. */
export const OLDEST_NODE = '22.12.0'

/**
 * Refuses an older Node. Otherwise the first machine fails with an error about a function that Node does not have.
 * @throws StartError `NODE_TOO_OLD`
 */
export function requireNode(version: string = process.versions.node): void {
  const [oldest, found] = [OLDEST_NODE, version].map((text) => text.split('.').map(Number))
  const [major = 0, minor = 0] = oldest ?? []
  const [foundMajor = 0, foundMinor = 0] = found ?? []
  if (foundMajor > major || (foundMajor === major && foundMinor >= minor)) return
  throw new StartError('NODE_TOO_OLD', `This is Node ${version}, and coldboot needs ${major}.${minor} or newer`)
}
