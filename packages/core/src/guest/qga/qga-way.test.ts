import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, watch } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandContract } from '../../../test/command-contract.ts'
import type { GuestEnd } from '../command-way.ts'
import { Guest } from '../guest.ts'
import { QgaConnection } from './qga-connection.ts'
import { QgaWay } from './qga-way.ts'

// The agent runs on this very host and polls its commands there: beside the whole suite on a busy host its waits run
// out (seen in 2 of 8 runs), so that it has a run of its own.
const reason = ((): string | undefined => {
  if (process.env['COLDBOOT_TEST_GUEST_AGENT'] !== '1') return 'set COLDBOOT_TEST_GUEST_AGENT=1 on a quiet host'
  try {
    execFileSync('qemu-ga', ['--version'])
    return undefined
  } catch {
    return 'qemu-ga is not installed on this host'
  }
})()

function guestWith(way: QgaWay): Guest {
  return new Guest({
    name: 'vm',
    ways: [way],
    timeoutMs: 30_000,
    scale: (milliseconds) => milliseconds,
    signal: undefined,
    ready: () => Promise.resolve(),
    sections: () => ({}),
  })
}

function wayTo(open: () => net.Socket, directory = '/tmp'): QgaWay {
  const scale = (milliseconds: number): number => milliseconds
  return new QgaWay({ connection: new QgaConnection(open), scale, over: new Promise<GuestEnd>(() => {}), directory })
}

/** A name in the file system is there a moment before somebody listens. */
async function connected(path: string): Promise<net.Socket> {
  const socket = net.connect(path)
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('ECONNREFUSED')) throw error
    return connected(path)
  }
}

// The agent runs on this host, and its commands too: it takes any socket for its port.
describe.skipIf(reason !== undefined)(`QEMU’s guest agent${reason === undefined ? '' : ` (${reason})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  const path = join(folder, 'port')
  let agent: ReturnType<typeof spawn>
  let guest: Guest
  let socket: net.Socket

  beforeAll(async () => {
    const watcher = watch(folder)
    const listening = new Promise<void>((resolve) => {
      watcher.on('change', (_event, name) => name === 'port' && resolve())
    })
    const command = ['-m', 'unix-listen', '-p', path, '-t', folder, '-f', join(folder, 'pid')]
    agent = spawn('qemu-ga', command, { stdio: ['ignore', 'ignore', 'inherit'] })
    await listening
    watcher.close()
    socket = await connected(path)
    guest = guestWith(wayTo(() => socket, folder))
  })
  afterAll(async () => {
    socket.destroy()
    const gone = once(agent, 'exit')
    agent.kill()
    await gone
    rmSync(folder, { recursive: true })
  })

  commandContract('guest-agent', () => guest, { kernelLog: false })

  test('gives more output than the agent gathers', async () => {
    const { stdout } = await guest.run('head -c 20000000 /dev/zero', { encoding: 'buffer' })
    expect(stdout.length).toBe(20_000_000)
    expect(stdout.every((byte) => byte === 0)).toBe(true)
  })

  test('gives an exit code that its own script uses, too', async () => {
    expect(await guest.run('exit 101', { check: false, cwd: '/tmp' })).toMatchObject({ exitCode: 101 })
  })
})

describe('an agent', () => {
  /** Plays the agent’s side. */
  function play(
    answer: (request: {
      readonly execute: string
      readonly id?: number
      readonly arguments: { readonly id?: number }
    }) => string,
  ): Guest {
    const [ours, theirs] = duplexPair()
    let text = ''
    theirs.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString('latin1').replace('\xff', '')).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) theirs.write(Buffer.from(answer(JSON.parse(line)), 'latin1'))
    })
    return guestWith(wayTo(() => ours as net.Socket))
  }

  test('that does not answer is told from a command that does not end', async () => {
    await expect(play(() => '').run('true', { timeout: 100 })).rejects.toMatchObject({ code: 'AGENT_SILENT' })
  })

  test('that may not run commands says so, behind the rest of an answer to another', async () => {
    const guest = play(({ execute, id, arguments: { id: sync } }) =>
      execute === 'guest-sync-delimited'
        ? `turn": {"pid": 1}}\n{"return": 5}\n\xff{"return": ${sync}}\n`
        : `{"error": {"class": "CommandNotFound", "desc": "The command ${execute} has been disabled"}, "id": ${id}}\n`,
    )
    await expect(guest.run('true')).rejects.toMatchObject({
      code: 'COMMAND_NOT_STARTED',
      message: expect.stringMatching(/guest-exec has been disabled[^]*Allow the commands/),
    })
  })
})
