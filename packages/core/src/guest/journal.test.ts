import { describe, expect, test } from 'vitest'
import type { CommandOutcome, CommandTransport } from './command-transport.ts'
import { readJournal } from './journal.ts'
import type { GuestTransport } from './run-options.ts'

const NOTHING = new Uint8Array(0)
const RUNNING = { state: 'running', isPaused: false, incidents: [] }
const ended = (exitCode: number, stdout = ''): CommandOutcome => ({
  exitCode,
  stdout: Buffer.from(stdout),
  stderr: NOTHING,
  duration: 1,
})
const silent: CommandOutcome = {
  ...ended(0),
  exitCode: undefined,
  failure: { code: 'AGENT_SILENT', message: 'silent' },
}

/** A transport with an outcome for each command, in order, that records the commands. */
function transport(via: GuestTransport, outcomes: readonly (CommandOutcome | Promise<CommandOutcome>)[]) {
  const commands: string[] = []
  const one: CommandTransport = {
    via,
    run: async ({ command }) => outcomes[commands.push(command) - 1] ?? silent,
  }
  return { ...one, commands }
}

const guestOf = (transports: readonly CommandTransport[]) => ({ explaining: () => transports, scale: () => 20 })

describe('the journal', () => {
  test('is the end of the journal of this boot, limited in size', async () => {
    const agent = transport('agent', [ended(0), ended(0, 'Started x\n')])
    expect(await readJournal(RUNNING, guestOf([agent]), 5000)).toBe('Started x\n')
    expect(agent.commands[1]).toMatch(/^journalctl --boot .*--lines=20000 2>&1 \| tail -c 5000$/)
  })

  test('is shorter over a serial console, which is tried when no agent answers', async () => {
    const agent = transport('agent', [silent])
    const shell = transport('shell', [ended(0), ended(0, 'Started x\n')])
    expect(await readJournal(RUNNING, guestOf([agent, shell]), 1e9)).toBe('Started x\n')
    expect(shell.commands[1]).toContain('--lines=1000 2>&1 | tail -c 131072')
  })

  test('is undefined without systemd, and after the first answer no other transport is tried', async () => {
    const agent = transport('agent', [ended(1)])
    const shell = transport('shell', [ended(0)])
    expect(await readJournal(RUNNING, guestOf([agent, shell]), 5000)).toBeUndefined()
    expect([agent.commands.length, shell.commands]).toEqual([1, []])
  })

  test.each([
    ['exited', { ...RUNNING, state: 'exited' }],
    ['paused', { ...RUNNING, isPaused: true }],
    ['panicked', { ...RUNNING, incidents: [{ failure: 'panic', code: 'GUEST_PANICKED' }] }],
  ])('is not asked of a machine that has %s', async (_why, machine) => {
    const agent = transport('agent', [ended(0)])
    expect(await readJournal(machine as typeof RUNNING, guestOf([agent]), 5000)).toBeUndefined()
    expect(agent.commands).toEqual([])
  })

  test('is undefined when the guest does not answer, even if the command cannot be killed', async () => {
    const never = new Promise<CommandOutcome>(() => {})
    expect(await readJournal(RUNNING, guestOf([transport('agent', [never])]), 5000)).toBeUndefined()
    const late = readJournal(RUNNING, guestOf([transport('agent', [ended(0), never])]), 5000)
    await expect(late).rejects.toThrow('journalctl did not end within 20 ms')
  })
})
