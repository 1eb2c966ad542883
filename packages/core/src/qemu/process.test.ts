import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { GUARD_KINDS } from './parent-guard.ts'
import { chooseGuard, runLookup, spawnQemu } from './process.ts'

test('the settings of the C library reach the child', async () => {
  const child = await spawnQemu(['sh', '-c', 'echo "$GLIBC_TUNABLES" >&4; read line <&4'], { sockets: [4] })
  const [chunk] = (await once(child.stream(4), 'data')) as [Buffer]
  expect(chunk.toString()).toContain('glibc.malloc.hugetlb=1')
  child.stream(4).end('\n')
  await child.exited
})

// These tests cover the guards, with simple programs instead of QEMU. The *.vm tests cover machines.
const kinds = GUARD_KINDS.filter((kind) => kind === 'pipe' || process.platform === 'linux')

for (const kind of kinds) {
  test(`${kind}: a child communicates over inherited descriptors and its exit code is reported`, async () => {
    const child = await spawnQemu(['sh', '-c', 'read line <&4; echo "got $line" >&4; echo oops >&2; exit 7'], {
      sockets: [4],
      guard: kind,
    })
    child.stream(4).write('hello\n')
    const [chunk] = (await once(child.stream(4), 'data')) as [Buffer]
    expect(chunk.toString()).toBe('got hello\n')
    expect(await child.exited).toEqual({ code: 7, signal: undefined })
    expect(child.stderr()).toContain('oops')
  })

  test(`${kind}: a character that is printed in two parts is whole`, async () => {
    const script = `printf 'caf\\303' >&2; echo half >&4; read line <&4; printf '\\251' >&2`
    const child = await spawnQemu(['sh', '-c', script], { sockets: [4], guard: kind })
    await once(child.stream(4), 'data')
    child.stream(4).write('go on\n')
    await child.exited
    expect(child.stderr()).toContain('café')
  })

  test(`${kind}: SIGTERM ends the child, and a second one has no effect`, async () => {
    const child = await spawnQemu(['sh', '-c', 'echo up >&4; exec sleep 60'], { sockets: [4], guard: kind })
    await once(child.stream(4), 'data')
    child.terminate('SIGTERM')
    const exit = await child.exited
    expect(exit.signal === 'SIGTERM' || exit.code === 143).toBe(true)
    child.terminate('SIGTERM')
  })

  test(`${kind}: SIGKILL ends a child that ignores SIGTERM, and leaves none behind`, async () => {
    const child = await spawnQemu(['sh', '-c', 'trap "" TERM; echo $$ >&4; exec sleep 60'], {
      sockets: [4],
      guard: kind,
    })
    const [pid] = (await once(child.stream(4), 'data')) as [Buffer]
    child.terminate('SIGKILL')
    await child.exited
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
  })

  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    test(`${kind}: ${signal} to the parent ends the child`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const fifo = join(folder, 'held')
      execFileSync('mkfifo', [fifo])
      const script = fileURLToPath(new URL('../../test/guarded-owner.ts', import.meta.url))
      const owner = spawn(process.execPath, [script, kind, fifo], { stdio: 'inherit' })
      // Only the child has the writing end. The first byte shows that it runs, and the end of file that it has ended.
      const held = createReadStream(fifo)
      await once(held, 'data')
      owner.kill(signal)
      await once(held, 'close')
      expect(owner.signalCode ?? (await once(owner, 'exit'))[1]).toBe(signal)
    })
  }
}

test('a child reads an inherited file and does not inherit the descriptors in between', async () => {
  const fd = openSync(fileURLToPath(import.meta.url), 'r')
  const script = 'head -c 6 <&6 >&4; if { true <&5; } 2>/dev/null; then echo open; else echo closed; fi >&4'
  const child = await spawnQemu(['sh', '-c', script], { sockets: [4], files: new Map([[6, fd]]) })
  closeSync(fd)
  expect((await child.stream(4).toArray()).join('')).toBe('importclosed\n')
})

test("throws the system's error for a missing program", async () => {
  const child = await spawnQemu(['/nonexistent/qemu'], { sockets: [4] })
  expect((await child.exited).code).toBe(127)
  expect(child.stderr()).toContain('/nonexistent/qemu')
})

test('reports the exit code of a short command', async () => {
  expect((await runLookup('/bin/sh', ['-c', 'echo a; echo b >&2; exit 3'])).exitCode).toBe(3)
})

test('uses setpriv only if it supports --pdeathsig, otherwise a shell', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  expect(await chooseGuard('linux', undefined, folder)).toMatchObject({
    guard: 'pipe',
    reason: expect.stringContaining('there is no setpriv'),
  })
  // Like the setpriv of busybox.
  const setpriv = join(folder, 'setpriv')
  writeFileSync(setpriv, '#!/bin/sh\necho "setpriv: unrecognized option: pdeathsig" >&2\nexit 1\n', { mode: 0o755 })
  expect(await chooseGuard('linux', undefined, folder)).toMatchObject({
    guard: 'pipe',
    reason: expect.stringContaining(`${setpriv} has no --pdeathsig`),
  })
  writeFileSync(setpriv, '#!/bin/sh\n[ "$1 $2 $3" = "--pdeathsig KILL --" ] && shift 3 && exec "$@"\n', { mode: 0o755 })
  expect(await chooseGuard('linux', undefined, folder)).toMatchObject({ guard: 'pdeathsig' })
  expect(await chooseGuard('darwin', undefined, folder)).toMatchObject({ guard: 'pipe' })
  expect(await chooseGuard('linux', '/tie', folder)).toMatchObject({ guard: 'tie' })
})
