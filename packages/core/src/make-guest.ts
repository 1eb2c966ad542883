/** A machine’s ways into its guest, from what it was asked to have. */
import { lastLines } from './console/expect-failure.ts'
import { AGENT_PORT, findChannel } from './devices/guest-ports.ts'
import { AgentConnection } from './guest/agent/agent-connection.ts'
import { AgentWay } from './guest/agent/agent-way.ts'
import type { GuestEnd } from './guest/command-way.ts'
import { Guest } from './guest/guest.ts'
import { ConsoleShell } from './guest/shell/console-shell.ts'
import { describeExit } from './qemu/exit-status.ts'
import type { RunningMachine } from './running-machine.ts'

/** What is needed of a machine. */
export interface GuestParts {
  /** The machine’s identity for its devices. */
  readonly vm: object
  readonly running: RunningMachine
  /** Waits for the machine’s `ready` pattern. */
  readonly ready: () => Promise<unknown>
}

/** The inside of a machine. */
export function makeGuest({ vm, running, ready }: GuestParts): Guest {
  const { spec, console, ended, failed } = running
  const scale = (milliseconds: number): number => milliseconds * spec.timeoutMultiplier
  const over = Promise.race([
    ended.then((status): GuestEnd => ({ code: 'COMMAND_LOST', how: `the machine ended: ${describeExit(status)}` })),
    failed.then(({ code, message, excerpt }): GuestEnd => ({ code, how: `the guest failed: ${message}`, excerpt })),
  ])
  const agentPort = findChannel(spec.devices, AGENT_PORT)
  const agent = agentPort && new AgentConnection(() => agentPort.of(vm).stream())
  return new Guest({
    name: spec.name,
    ways: [
      ...(agent ? [new AgentWay({ connection: agent, scale, over })] : []),
      new ConsoleShell({ console, scale, over }),
    ],
    timeoutMs: scale(spec.timeoutMs),
    scale,
    signal: spec.signal,
    ready: spec.ready === undefined ? () => Promise.resolve() : ready,
    sections: () => ({ 'End of the console': lastLines(console.text()), Log: running.logFile }),
  })
}
