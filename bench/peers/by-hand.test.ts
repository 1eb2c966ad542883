import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const [qemu = '', ...args] = JSON.parse(process.env['PEER_COMMAND'] ?? '[]') as string[]
let child: ChildProcess
let output = ''

function printed(pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${pattern} was not printed:\n${output}`)), 60_000)
    const look = (): void => {
      if (!pattern.test(output)) return
      clearTimeout(timer)
      child.stdout?.off('data', look)
      resolve()
    }
    child.stdout?.on('data', look)
    look()
  })
}

beforeEach(async () => {
  output = ''
  child = spawn(qemu, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await printed(/coldboot# /)
}, 60_000)

afterEach(async () => {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
})

describe('machines', () => {
  test.each(Array.from({ length: Number(process.env['PEER_TESTS']) }, (_, index) => index))(
    'computes %d',
    async (n) => {
      child.stdin?.write(`echo sum-$((${n} + 1000))\n`)
      await printed(new RegExp(`sum-${n + 1000}\r?\n`))
      expect(output).not.toContain('Kernel panic')
    },
  )
})
