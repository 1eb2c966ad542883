/** Identity of the CPU of this host. A state saved with hardware acceleration only works on the same CPU. */
import { readFileSync } from 'node:fs'

/** The CPU model from `/proc/cpuinfo`; on other systems than Linux, the architecture. */
export function hostCpu(): string {
  try {
    const info = readFileSync('/proc/cpuinfo', 'utf8')
    return /^(?:model name|CPU part)\s*:.*$/m.exec(info)?.[0] ?? process.arch
  } catch {
    return process.arch
  }
}
