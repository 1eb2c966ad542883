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
      readonly arguments: { readonly id?: number; readonly arg?: readonly string[] }
    }) => string,
    scale = 1,
  ): Guest {
    const [ours, theirs] = duplexPair()
    let text = ''
    theirs.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString('latin1').replace('\xff', '')).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) theirs.write(Buffer.from(answer(JSON.parse(line)), 'latin1'))
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
