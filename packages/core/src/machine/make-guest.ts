/** Creates the Guest of a machine, with the transports of its options. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Console } from '../console/console.ts'
import { lastLines } from '../console/failure/last-lines.ts'
import type { Incident } from '../console/incident/incident.ts'
import { AGENT_PORT, findChannel, GUEST_AGENT_PORT } from '../devices/helpers/guest-ports.ts'
import { AgentConnection } from '../guest/agent/agent-connection.ts'
import { AgentTransport } from '../guest/agent/agent-transport.ts'
import { resync } from '../guest/agent/resync.ts'
import type { GuestEnd } from '../guest/command-transport.ts'
import { Guest } from '../guest/guest.ts'
import { QgaConnection } from '../guest/qga/qga-connection.ts'
import { setTime } from '../guest/qga/qga-resync.ts'
import { QgaTransport } from '../guest/qga/qga-transport.ts'
import { ConsoleShell } from '../guest/shell/console-shell.ts'
import { type QuietConsole, quietShell } from '../guest/shell/quiet-shell.ts'
import { Interrupted } from '../guest/waiting.ts'
import { warnOnce } from '../host/warnings.ts'
import type { RunningMachine } from './running-machine.ts'

/** The parts of a machine that its Guest needs. */
export interface GuestParts {
  /** Identity of the machine for its devices. */
  readonly vm: object
  readonly running: RunningMachine
  /** Waits for the machine's `ready` pattern. */
  readonly ready: () => Promise<unknown>
}

/** Longest wait for the agent, which normally answers within 10 ms. Milliseconds, before the multiplier. */
const RESYNC_MS = 2_000

/** Ends the commands that ran before a restart of the guest: with its panic, if it has panicked. */
async function restarted(console: Pick<Console, 'guestRestarted'>, agent: AgentConnection | undefined): Promise<void> {
  // The output before the restart may be read after the event.
  await turn()
  console.guestRestarted()
  // A command ends a turn after the failure of the guest.
  for (let turns = 0; turns < 2; turns++) await turn()
  agent?.restarted()
}

/** Creates the Guest of a machine. */
export function makeGuest({ vm, running, ready }: GuestParts): Guest {
  const { spec, console, ended, failed } = running
  const scale = (milliseconds: number): number => milliseconds * spec.timeoutMultiplier
  const machineOver = ended.then((status): GuestEnd => {
    // A guest that reboots after a panic ends the machine before all of its output is read.
    const incident = console.incidents.find(({ allowed }) => !allowed)
    if (incident !== undefined) return guestFailed(incident)
    return { code: 'COMMAND_LOST', how: `the machine ended: ${running.endedBecause(status)}` }
  })
  const over = Promise.race([failed.then(guestFailed), machineOver])
  const agentPort = findChannel(spec.devices, AGENT_PORT)
  const agent = agentPort && new AgentConnection(() => agentPort.of(vm).stream())
  running.machine.qmp.onEvent(({ event }) => {
    if (event === 'RESET') void restarted(console, agent)
  })
  const guestAgentPort = findChannel(spec.devices, GUEST_AGENT_PORT)
  const guestAgent = guestAgentPort && new QgaConnection(() => guestAgentPort.of(vm).stream())
  const guestAgentTransport = guestAgent && new QgaTransport({ connection: guestAgent, scale, over })
  const shell = new ConsoleShell({ console, scale, over })
  const quietConsole: QuietConsole = {
    send: (data, isAnswer) => console.send(data, isAnswer),
    watch: (watcher) => console.watch(watcher),
    hold: () => running.holdLog(),
  }
  const limits = { timeoutMs: scale(RESYNC_MS), over }
  const keepsTime = spec.devices.some((device) => device.keepsTime === true)
  const resyncClock =
    (agent && (() => resync(agent, limits, keepsTime))) ??
    (guestAgent && guestAgentTransport && !keepsTime
      ? () => setTime(guestAgent, guestAgentTransport, limits)
      : undefined)
  return new Guest({
    name: spec.name,
    transports: [
      ...(agent ? [new AgentTransport({ connection: agent, scale, over })] : []),
      ...(guestAgentTransport ? [guestAgentTransport] : []),
      shell,
    ],
    timeoutMs: scale(spec.timeoutMs),
    scale,
    signal: spec.signal,
    over,
    onEvent: running.onEvent,
    resync: resyncClock && (() => resynced(resyncClock(), agent ? 'the clock and the random numbers' : 'the clock')),
    explaining: () => [
      ...(agent ? [new AgentTransport({ connection: agent, scale, over: machineOver })] : []),
      ...(guestAgent ? [new QgaTransport({ connection: guestAgent, scale, over: machineOver })] : []),
      ...(shell.hasAnswered ? [quietShell(shell, { console: quietConsole, scale, over: machineOver })] : []),
    ],
    ready: spec.ready === undefined ? () => Promise.resolve() : ready,
    isPaused: () => running.isPaused,
    sections: () => ({ 'End of the console': lastLines(console.text()), Log: running.keptLog }),
  })
}

function guestFailed({ code, message, excerpt }: Incident): GuestEnd {
  return { code, how: `the guest failed: ${message}`, excerpt }
}

/** @param what what the agent sets after a restore */
async function resynced(done: Promise<void>, what: string): Promise<void> {
  try {
    await done
  } catch (error) {
    // The end of the machine is reported by its waits and calls.
    if (error instanceof Interrupted && error.reason === 'over') return
    const why = error instanceof Interrupted ? 'its agent does not answer' : String(error)
    warnOnce(`A restored machine may have ${what} of the save: ${why}.`)
  }
}
