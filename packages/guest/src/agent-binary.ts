/** The agent that runs a test's commands in the guest. Its source is in `agent/`; it is built ahead, for every architecture. */
import { readFile } from 'node:fs/promises'
import type { Architecture } from '@coldboot/core'

/** Where it lies in the guest. */
export const AGENT_PATH = '/bin/coldboot-agent'

/** Where its port appears, if the machine has one (the option `agent`). */
export const AGENT_PORT = '/dev/virtio-ports/org.coldboot.agent'

/** Lines for the start of every guest, after those that name the ports. */
export const START_AGENT: readonly string[] = [
  `if [ -e ${AGENT_PORT} ]; then (cd /root && HOME=/root LOGNAME=root exec ${AGENT_PATH} ${AGENT_PORT}) & fi`,
]

/** The program. */
export function readAgent(arch: Architecture): Promise<Uint8Array> {
  return readFile(new URL(`../agent/bin/${arch}`, import.meta.url))
}
