/** The agent that runs a test's commands in the guest. Built from `agent/` for every architecture; the binaries are in git. */
import { readFile } from 'node:fs/promises'
import type { Architecture } from '@coldboot/core'

/** Path of the agent in the guest. */
export const AGENT_PATH = '/bin/coldboot-agent'

/** Path of the agent's virtio-serial port in the guest. Missing if the machine's option `agent` is off. */
export const AGENT_PORT = '/dev/virtio-ports/org.coldboot.agent'

/** Shell lines of the guest's start that run the agent. They follow the lines that create the names of the ports. */
export const START_AGENT: readonly string[] = [
  `if [ -e ${AGENT_PORT} ]; then (cd /root && HOME=/root LOGNAME=root exec ${AGENT_PATH} ${AGENT_PORT}) & fi`,
]

/** Reads the agent's program. */
export function readAgent(arch: Architecture): Promise<Uint8Array> {
  return readFile(new URL(`../agent/bin/${arch}`, import.meta.url))
}
