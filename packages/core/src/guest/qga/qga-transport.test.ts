import { duplexPair } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { qgaGuest } from '../../../test/qga-guest.ts'
import type { Guest } from '../guest.ts'

describe('an agent', () => {
  /** Plays the side of the agent. */
  function play(
    answer: (request: {
      readonly execute: string
      readonly id?: number
      readonly arguments: {
        readonly id?: number
        readonly arg?: readonly string[]
        readonly count?: number
        readonly offset?: number
        readonly whence?: string
      }
    }) => string,
    scale = 1,
  ): Guest {
    const [ours, theirs] = duplexPair()
    let text = ''
    theirs.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString('latin1').replace('\xff', '')).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        // Not at once, because timers would not run during a sequence of requests.
        setImmediate(() => theirs.write(Buffer.from(answer(JSON.parse(line)), 'latin1')))
      }
    })
    return qgaGuest(ours, '/tmp', scale)
  }

  test('an agent that does not answer is distinguished from a command that does not end', async () => {
    await expect(play(() => '').run('true', { timeout: 100 })).rejects.toMatchObject({ code: 'AGENT_SILENT' })
  })

  test('an agent that may not run commands is reported, also after the rest of another answer', async () => {
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

  /** An agent whose command has ended, and whose output file still grows: a read has no end. */
  function growing({ size, bytesOf }: { readonly size: number; readonly bytesOf: (count: number) => number }): Guest {
    return play(({ execute, id, arguments: { id: sync, count = 0, offset = 0, whence } }) => {
      if (execute === 'guest-sync-delimited') return `\xff{"return": ${sync}}\n`
      const answers: Readonly<Record<string, unknown>> = {
        'guest-exec': { pid: 1 },
        'guest-exec-status': { exited: true, exitcode: 0 },
        'guest-file-open': 7,
        'guest-file-seek': { position: whence === 'end' ? size + offset : offset },
        'guest-file-read': { 'buf-b64': Buffer.alloc(bytesOf(count), 'y').toString('base64'), eof: false },
      }
      return `${JSON.stringify({ return: answers[execute] ?? {}, id })}\n`
    }, 0.1)
  }

  test('returns the output until the end of a command, while a process in the background goes on writing', async () => {
    const { stdout } = await growing({ size: 5_000_000, bytesOf: (count) => count }).run('yes &')
    expect(stdout.length).toBe(5_000_000)
  })

  test('refuses an output that is too large at the end of a command', async () => {
    const running = growing({ size: 2 ** 28 + 1, bytesOf: (count) => count }).run('yes &')
    await expect(running).rejects.toMatchObject({ code: 'COMMAND_OUTPUT_TOO_LARGE' })
  })

  test('the timeout includes all reads of an output', async () => {
    const running = growing({ size: 2 ** 28, bytesOf: () => 1 }).run('yes &', { timeout: 100 })
    await expect(running).rejects.toMatchObject({ code: 'COMMAND_TIMEOUT' })
  })

  test('returns the output of a command that cannot be killed', async () => {
    const answers: Readonly<Record<string, unknown>> = {
      'guest-exec': { pid: 1 },
      'guest-exec-status': { exited: false },
      'guest-file-open': 7,
      'guest-file-seek': { position: 3 },
      'guest-file-read': { 'buf-b64': Buffer.from('out').toString('base64'), eof: true },
    }
    const guest = play(
      ({ execute, id, arguments: { id: sync } }) =>
        execute === 'guest-sync-delimited'
          ? `\xff{"return": ${sync}}\n`
          : `${JSON.stringify({ return: answers[execute] ?? {}, id })}\n`,
      0.1,
    )
    await expect(guest.run('dd if=/dev/stuck', { timeout: 100 })).rejects.toMatchObject({
      code: 'COMMAND_TIMEOUT',
      stdout: 'out',
    })
  })

  test('kills a command that was aborted during its start', async () => {
    const controller = new AbortController()
    const killed = Promise.withResolvers<readonly string[]>()
    const guest = play(({ execute, id, arguments: { id: sync, arg = [] } }) => {
      if (execute === 'guest-sync-delimited') return `\xff{"return": ${sync}}\n`
      if (arg.includes('TERM')) killed.resolve(arg)
      else controller.abort()
      return `{"return": {"pid": 41, "exited": true}, "id": ${id}}\n`
    })
    await expect(guest.run('sleep 1000', { signal: controller.signal })).rejects.toMatchObject({
      code: 'COMMAND_ABORTED',
    })
    expect((await killed.promise).slice(-2)).toEqual(['TERM', '41'])
  })
})
