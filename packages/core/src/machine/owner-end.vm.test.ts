/** Tests that machines end with their process, for each way in which a process can end. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, onTestFinished, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const owner = fileURLToPath(new URL('../../test/machine-owner.ts', import.meta.url))

/** A machine without a guest system. It is ready when its firmware has found nothing to boot. */
const firmware = {
  arch: 'x86_64',
  memory: '64M',
  firmware: 'bios-256k.bin',
  failOn: { noBootDevice: 'allow' },
  ready: 'No bootable device',
}

/** A process with a machine whose QEMU holds one end of a FIFO open: `gone` settles with the end of file. */
async function ownedMachine(how: string) {
  const temporary = mkdtempSync(join(folder, 'owned-'))
  const fifo = join(temporary, 'held')
  execFileSync('mkfifo', [fifo])
  const options = { ...firmware, qemu: ['qemu-system-x86_64', '-chardev', `file,id=held,path=${fifo}`] }
  const child = spawn(process.execPath, [owner, how, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const gone = once(createReadStream(fifo).resume(), 'close')
  await once(child.stdout, 'data')
  return { child, gone, temporary }
}

test.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'a machine ends when its process gets %s, and its files go with the next start',
  async (signal) => {
    const { child, gone, temporary } = await ownedMachine('wait')
    child.kill(signal)
    await gone
    const left = () => readdirSync(join(temporary, `coldboot-${process.getuid?.() ?? 0}`))
    expect(left()).toHaveLength(1)
    const environment = { ...process.env, TMPDIR: temporary }
    await once(spawn(process.execPath, [owner, 'close', JSON.stringify(firmware)], { env: environment }), 'exit')
    expect(left()).toEqual([])
  },
)

test('pooled machines end with their process, and leave nothing', async () => {
  const temporary = mkdtempSync(join(folder, 'owned-'))
  const fifo = join(temporary, 'held')
  execFileSync('mkfifo', [fifo])
  // With a reader from the start, because several machines open it in turn.
  const reader = openSync(fifo, 'r+')
  // A relative path, so that the template is the same in each run.
  const options = { ...firmware, qemu: ['qemu-system-x86_64', '-chardev', 'file,id=held,path=held'] }
  const child = spawn(process.execPath, [owner, 'pooled', JSON.stringify(options)], {
    cwd: temporary,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [exitCode] = (await once(child, 'exit')) as [number]
  expect(exitCode).toBe(0)
  const held = createReadStream(fifo)
  await once(held, 'open')
  closeSync(reader)
  await once(held.resume(), 'close')
  const left = readdirSync(join(temporary, `coldboot-${process.getuid?.() ?? 0}`), { recursive: true })
  expect(left).toEqual(['machines'])
})

test.each(['exit', 'throw'])('a machine ends with its files when its process ends by %s', async (how) => {
  const { child, gone, temporary } = await ownedMachine(how)
  await Promise.all([once(child, 'exit'), gone])
  expect(readdirSync(join(temporary, `coldboot-${process.getuid?.() ?? 0}`))).toEqual([])
})

test('a machine of a worker thread ends with the thread', async () => {
  const { child, gone } = await ownedMachine('thread')
  await gone
  expect(child.exitCode ?? child.signalCode).toBeNull()
})
