/** Tests with a real agent that runs on this host. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, watch } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandContract } from '../../../test/command-contract.ts'
import { qgaGuest } from '../../../test/qga-guest.ts'
import type { Guest } from '../guest.ts'

const reason = ((): string | undefined => {
  try {
    execFileSync('qemu-ga', ['--version'])
    return undefined
  } catch {
    return 'qemu-ga is not installed on this host'
  }
})()

/** Retries, because a socket file exists a moment before a process listens. */
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

// The agent accepts any socket as its port.
describe.skipIf(reason !== undefined)(`QEMU's guest agent${reason === undefined ? '' : ` (${reason})`}`, () => {
  let folder: string
  let agent: ReturnType<typeof spawn>
  let guest: Guest
  let socket: net.Socket

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
    const path = join(folder, 'port')
    const watcher = watch(folder)
    const listening = new Promise<void>((resolve) => {
      watcher.on('change', (_event, name) => name === 'port' && resolve())
    })
    const command = ['-m', 'unix-listen', '-p', path, '-t', folder, '-f', join(folder, 'pid')]
    agent = spawn('qemu-ga', command, { stdio: ['ignore', 'ignore', 'inherit'] })
    await listening
    watcher.close()
    socket = await connected(path)
    guest = qgaGuest(socket, folder)
  })
  afterAll(async () => {
    socket.destroy()
    const gone = once(agent, 'exit')
    agent.kill()
    await gone
    rmSync(folder, { recursive: true, force: true })
  })

  commandContract('guest-agent', () => guest, { kernelLog: false })

  test.each([65_535, 65_536, 65_537, 5_000_000])('gives %d bytes of output on both sides', async (length) => {
    const command = `seq 1000000 9999999 | head -c ${length} | tee /dev/stderr`
    const { stdout, stderr } = await guest.run(command, { encoding: 'buffer' })
    const numbers = Array.from({ length: Math.ceil(length / 8) }, (_, index) => `${1_000_000 + index}\n`).join('')
    const expected = Buffer.from(numbers).subarray(0, length)
    expect(Buffer.compare(stdout, expected)).toBe(0)
    expect(Buffer.compare(stderr, expected)).toBe(0)
  })

  test('kills a command that prints too much', async () => {
    await expect(guest.run('head -c 300000000 /dev/zero; exec sleep 1000')).rejects.toMatchObject({
      code: 'COMMAND_OUTPUT_TOO_LARGE',
      stdout: '\0'.repeat(65_536),
    })
  })

  test('gives the reason if the output of a command cannot be stored', async () => {
    await expect(qgaGuest(socket, '/proc').run('true')).rejects.toMatchObject({
      code: 'COMMAND_NOT_STARTED',
      message: expect.stringMatching(/the guest cannot store its output: mkdir: .*\/proc\//),
    })
  })
})
