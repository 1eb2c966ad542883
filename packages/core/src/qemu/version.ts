/** Parses and compares versions of QEMU. */

/** Major and minor number of a version. */
export type QemuRelease = readonly [major: number, minor: number]

const OF_QEMU = /QEMU emulator version (\d+)\.(\d+)(?:\.(\d+))?/

/** The version in the output of `qemu-system-… --version`, such as `7.2.22`; undefined if there is none. */
export function parseVersion(output: string): string | undefined {
  // A wrapper may print its own version first.
  const [, major, minor, micro = '0'] = OF_QEMU.exec(output) ?? []
  return major === undefined || minor === undefined ? undefined : `${major}.${minor}.${micro}`
}

/** Whether a version is the given release or later. @param version such as `7.2.22` */
export function isAtLeast(version: string, [major, minor]: QemuRelease): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}
