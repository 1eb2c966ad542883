import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { quickGuest } from '../../test/quick-guest.ts'
import { arbitraryArgs } from '../devices/arbitrary-args.ts'
import { virtioRandom } from '../devices/virtio-random.ts'
import { liveMachines } from '../host/machines/live-machines.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { startReady } from '../template/start-ready.ts'
import { VM } from './vm.ts'

let guest: MachineOptions
const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
beforeAll(async () => {
  guest = await linuxGuest()
}, 300_000)
afterAll(() => {
  rmSync(folder, { recursive: true })
  expect(liveMachines()).toEqual([])
})

function closing(vm: VM): VM {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** A machine that has just started to boot. */
async function start(options: MachineOptions = {}): Promise<VM> {
  return closing(await VM.boot({ ...guest, timeout: 60_000, ...options }))
}

/** A machine at its prompt, from a template. */
async function restore(options: MachineOptions = {}): Promise<VM> {
  return closing(await startReady({ ...guest, timeout: 60_000, ...options }))
}

describe('a machine', () => {
  test('boots, is ready after a wait that consumed the prompt, reads input, prints, and powers off', async () => {
    const vm = await start({ devices: [virtioRandom()], ...(await linuxGuest({ modules: ['virtio_rng'] })) })
    await vm.expect(String(guest.ready), { timeout: 60_000 })
    expect((await vm.run('echo it works')).stdout).toBe('it works\n')
    expect((await vm.ready()).text).toBe(String(guest.ready))
    vm.send('echo hello-$((40 + 2))\n')
    expect((await vm.expect('hello-42')).text).toBe('hello-42')
    vm.send('head -c 8 /dev/hwrng | wc -c\n')
    await vm.expect(/\b8\n/)
    vm.send('poweroff -f\n')
    expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-shutdown', exitCode: 0 })
    expect(vm.state).toBe('exited')
  })

  // The first instructions end QEMU, possibly sooner than it answers.
  test('a machine that ends at once has started, and its exit code is known', async () => {
    const rom = Buffer.alloc(64 * 1024)
    // mov al, 0x10; out 0xf4, al
    Buffer.from([0xb0, 0x10, 0xe6, 0xf4]).copy(rom, rom.length - 16)
    const firmware = join(folder, 'exit.rom')
    writeFileSync(firmware, rom)
    const devices = [arbitraryArgs('-device', 'isa-debug-exit,iobase=0xf4,iosize=4')]
    const vms = Array.from({ length: 8 }, () => VM.boot({ arch: 'x86_64', firmware, devices }))
    const exits = await Promise.all(vms.map(async (vm) => closing(await vm).waitForExit()))
    expect(exits.map(({ exitCode }) => exitCode)).toEqual(Array(8).fill(33))
  })

  test('a machine that reboots ends', async () => {
    const vm = await restore()
    vm.send('reboot -f\n')
    expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-reset' })
  })

  test('a machine takes 10 kB at once without losing a byte', async () => {
    const vm = await restore()
    vm.send('stty -echo; cat > /tmp/in; md5sum /tmp/in\n')
    const text = Array.from({ length: 128 }, (_, line) => `${'x'.repeat(76)}${String(line).padStart(3, '0')}\n`).join(
      '',
    )
    expect(text).toHaveLength(10_240)
    vm.send(text)
    vm.send('\x04')
    const sum = execFileSync('md5sum', { input: text, encoding: 'utf8' }).slice(0, 32)
    await vm.expect(sum)
  })

  test('writes its console to the log and to every stream of serialOutput', async () => {
    const chunks: Buffer[] = []
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk)
        done()
      },
    })
    const logFile = join(folder, 'kept', 'console.log')
    const vm = closing(await VM.boot({ ...quickGuest(join(folder, 'quick.img')), serialOutput: sink, logFile }))
    await vm.ready()
    await vm.close()
    expect(readFileSync(logFile)).toEqual(Buffer.concat(chunks))
    expect(sink.writableEnded).toBe(false)
  })

  test('continues when its log cannot be written', async () => {
    const warned = once(process, 'warning') as Promise<[Error]>
    const vm = await restore({ logFile: '/dev/full' })
    vm.send('echo still-$((1 + 1))\n')
    await vm.expect('still-2')
    expect(vm.output).toContain('still-2')
    expect((await warned)[0].message).toContain('/dev/full')
  })

  test('a machine can be started again by its quoted command line in a shell', async () => {
    const vm = await start()
    await vm.close()
    const shell = spawn('sh', ['-c', `exec ${vm.commandLineQuoted}`], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void shell.kill('SIGKILL'))
    let text = ''
    for await (const chunk of shell.stdout as AsyncIterable<Buffer>) {
      text += chunk.toString()
      // Sent only once, because QEMU then ends and closes its pipe.
      if (shell.stdin.writable && text.includes(String(guest.ready))) shell.stdin.end('\x01x')
    }
    expect(text).toContain(String(guest.ready))
  })
})

describe('waiting', () => {
  test('a silent console is distinguished from one with other output', async () => {
    const vm = await start({ kernelArgs: 'quiet console=none' })
    await expect(vm.expect('anything', { timeout: 500 })).rejects.toMatchObject({
      code: 'EXPECT_TIMEOUT',
      message: expect.stringMatching(/0 bytes[^]*console=ttyS0/),
    })
  })

  test('the last output before an exit is matched, then the wait rejects with the reason', async () => {
    const vm = await restore()
    vm.send('echo last-$((1 + 1)); poweroff -f\n')
    const second = vm.expect('never printed')
    const rejected = expect(second).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
    await vm.waitForExit()
    await rejected.catch(() => {})
    expect(vm.hasPrinted('last-2')).toBeDefined()
    await expect(second).rejects.toMatchObject({
      code: 'EXPECT_EXITED',
      message: expect.stringMatching(/guest powered off[^]*last-2/),
    })
  })

  test('a slow boot is distinguished from a pattern that was not printed', async () => {
    const vm = await start({ ready: 'never printed', bootTimeout: 300 })
    await expect(vm.ready()).rejects.toMatchObject({
      code: 'BOOT_TIMEOUT',
      message: expect.stringContaining('never printed'),
    })
  })

  test('a boot without console= for this console has a hint about it', async () => {
    const vm = await start({ kernelArgs: 'panic=-1', bootTimeout: 1_500 })
    await expect(vm.ready()).rejects.toMatchObject({
      code: 'BOOT_TIMEOUT',
      message: expect.stringMatching(
        /\(0 bytes\)\nCheck that the kernel arguments name this console \(`console=ttyS0`\)/,
      ),
    })
  })

  test('the signal of the machine rejects every wait', async () => {
    const controller = new AbortController()
    const vm = await restore({ signal: controller.signal })
    const waits = [vm.expect('a b c'), vm.waitForExit()].map((wait) =>
      expect(wait).rejects.toMatchObject({ code: 'EXPECT_ABORTED' }),
    )
    controller.abort(new Error('the test is over'))
    await Promise.all(waits)
  })

  test('a wait for the end respects its timeout', async () => {
    const vm = await restore()
    await expect(vm.waitForExit({ timeout: 50 })).rejects.toMatchObject({ code: 'EXPECT_TIMEOUT' })
  })
})

describe('the end', () => {
  test('the end is the same for every call of close', async () => {
    const vm = await restore()
    const directory = dirname(vm.logFile)
    expect(existsSync(directory)).toBe(true)
    const [first, second, waited] = await Promise.all([vm.close(), vm.close(), vm.waitForExit()])
    expect(first).toBe(second)
    expect(first).toBe(waited)
    expect(await vm.close()).toBe(first)
    expect(first.reason).toBe('host-qmp-quit')
    expect(existsSync(directory)).toBe(false)
    expect(() => process.kill(vm.pid, 0)).toThrow('ESRCH')
    expect(() => vm.send('x')).toThrow(expect.objectContaining({ code: 'MACHINE_EXITED' }))
    expect(() => vm.send('x')).toThrow(/^Nothing can be sent to "\S+": /)
  })

  test('a machine ends with the block of `await using`', async () => {
    let pid = 0
    {
      await using vm = await VM.boot(guest)
      pid = vm.pid
    }
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('close ends a QEMU that no longer answers', async () => {
    const vm = await start()
    process.kill(vm.pid, 'SIGSTOP')
    expect(await vm.close()).toMatchObject({ signal: 'SIGKILL', reason: 'qemu-killed' })
  })

  test('close ends a machine that floods its console', async () => {
    const vm = await restore()
    vm.send('yes "$(printf %060d 7)"\n')
    await vm.expect('0007\n', { timeout: 60_000 })
    expect(await vm.close()).toMatchObject({ reason: 'host-qmp-quit' })
  })

  test('a signal from outside ends the machine, and rejects the waits with it', async () => {
    const vm = await restore()
    const wait = expect(vm.expect('never')).rejects.toMatchObject({
      code: 'EXPECT_EXITED',
      message: expect.stringContaining('SIGKILL'),
    })
    process.kill(vm.pid, 'SIGKILL')
    await wait
    expect(await vm.waitForExit()).toMatchObject({ reason: 'qemu-killed', signal: 'SIGKILL' })
  })
})
