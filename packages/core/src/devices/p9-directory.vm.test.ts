import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { run, silenceEcho } from '../../test/guest.ts'
import { HOSTILE_NAMES } from '../../test/hostile-names.ts'
import { VM } from '../machine/vm.ts'
import { p9Directory } from './p9-directory.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
const isRoot = process.getuid?.() === 0

let directories = 0
function directory(name = `shared${directories++}`): string {
  const path = join(folder, name)
  mkdirSync(path)
  return path
}

describe('a shared directory', () => {
  const [shared, fixed, mapped, many] = [directory(), directory(), directory(), directory()]
  let vm: VM
  beforeAll(async () => {
    writeFileSync(join(shared, 'from-host'), 'host\n')
    symlinkSync('from-host', join(shared, 'link'))
    chmodSync(join(shared, 'from-host'), 0o751)
    writeFileSync(join(fixed, 'file'), 'as it was')
    for (let index = 0; index < 10_000; index++) writeFileSync(join(many, `file-${index}-é`), String(index))
    const hostile = HOSTILE_NAMES.map((name) => directory(name))
    for (const [index, path] of hostile.entries()) writeFileSync(join(path, 'which'), `number ${index}\n`)
    const devices = [
      p9Directory(many, { mountAt: '/mnt/many' }),
      ...hostile.map((path, index) => p9Directory(path, { tag: `hostile${index}`, mountAt: `/mnt/${index}` })),
      p9Directory(shared, { tag: 'shared', mountAt: '/mnt/shared' }),
      p9Directory(fixed, { tag: 'fixed', readOnly: true, mountAt: '/mnt/fixed' }),
      p9Directory(mapped, { tag: 'mapped', securityModel: 'mapped-file', mountAt: '/mnt/mapped' }),
    ]
    vm = await VM.boot({ ...(await linuxGuest()), timeout: 60_000, devices })
    await vm.ready()
    await silenceEcho(vm)
  }, 120_000)
  afterAll(() => vm?.close())

  test('shows files, links, modes and owners on both sides', async () => {
    expect(await run(vm, 'cd /mnt/shared; cat link; readlink link; stat -c "%a %F" from-host')).toBe(
      'host\nfrom-host\n751 regular file\n',
    )
    await run(
      vm,
      'echo guest >from-guest; chmod 640 from-guest; ln -s from-guest back; mkdir -m 700 deep; mv from-host deep/moved',
    )
    expect(readFileSync(join(shared, 'back'), 'utf8')).toBe('guest\n')
    expect(readlinkSync(join(shared, 'back'))).toBe('from-guest')
    expect(statSync(join(shared, 'from-guest')).mode & 0o777).toBe(0o640)
    expect(statSync(join(shared, 'deep')).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(shared, 'deep/moved'), 'utf8')).toBe('host\n')
    // Later writes of the host are visible at once, because nothing is cached.
    writeFileSync(join(shared, 'later'), 'x'.repeat(1_000_000))
    expect(await run(vm, 'wc -c <later; rm later')).toBe('1000000\n')
    expect(readdirSync(shared).sort()).toEqual(['back', 'deep', 'from-guest', 'link'])
    // Only root may change the owner of a file; for other users, it fails in the guest.
    expect(await run(vm, 'chown 1234:5678 from-guest 2>/dev/null && echo given || echo refused')).toBe(
      isRoot ? 'given\n' : 'refused\n',
    )
    const { uid, gid } = statSync(join(shared, 'from-guest'))
    expect([uid, gid]).toEqual(isRoot ? [1234, 5678] : [process.getuid?.(), process.getgid?.()])
  })

  test('works with 10,000 files, and with hostile directory names', async () => {
    expect(await run(vm, 'set -- /mnt/many/*; echo $#; cat /mnt/many/file-99* | wc -c')).toBe('10000\n432\n')
    expect(await run(vm, 'cat /mnt/[0-9]/which')).toBe('number 0\nnumber 1\nnumber 2\nnumber 3\n')
  })

  test('a read-only shared directory rejects every write', async () => {
    await expect(run(vm, 'echo changed >/mnt/fixed/file')).rejects.toThrow('Read-only file system')
    await expect(run(vm, 'mount -o remount,rw /mnt/fixed; rm /mnt/fixed/file')).rejects.toThrow(
      /Read-only file system|not permitted/,
    )
    expect(readFileSync(join(fixed, 'file'), 'utf8')).toBe('as it was')
  })

  test('supports mapped owners and special files for any user', async () => {
    const special = await run(
      vm,
      'cd /mnt/mapped; mknod null c 1 3; mkfifo pipe; echo a >owned; chown 7:8 owned; stat -c "%F %u" null pipe owned',
    )
    expect(special).toBe('character special file 0\nfifo 0\nregular file 7\n')
    expect(statSync(join(mapped, 'owned')).uid).toBe(process.getuid?.())
  })

  test('a shared directory that cannot be mounted ends the machine with a message on the console', async () => {
    const guest = await linuxGuest()
    const share = {
      name: 'nothing',
      qemuArgs: () => [],
      kernelArgs: () => ['coldboot.mount=/mnt:9p:missing:trans=virtio'],
    }
    const failing = await VM.boot({ ...guest, timeout: 60_000, devices: [share] })
    onTestFinished(() => failing.close().then(() => {}))
    await failing.expect('coldboot: missing cannot be mounted at /mnt')
    expect(await failing.waitForExit()).toMatchObject({ reason: 'guest-shutdown' })
  })
})

describe('a root file system', () => {
  test('boots from a directory of the host and is writable', async () => {
    const root = directory()
    for (const name of ['bin', 'dev', 'proc']) mkdirSync(join(root, name))
    execFileSync('cp', ['/bin/busybox', join(root, 'bin/busybox')])
    symlinkSync('busybox', join(root, 'bin/sh'))
    const script =
      '#!/bin/sh\nbusybox mount -t proc proc /proc\nbusybox grep " / " /proc/mounts\necho "I am $$" >/written\nbusybox cat /written\nexec sh\n'
    writeFileSync(join(root, 'bin/init'), script, { mode: 0o755 })
    const vm = await VM.boot({
      ...(await linuxGuest()),
      ready: 'I am 1\n',
      timeout: 60_000,
      devices: [p9Directory(root, { boot: true })],
    })
    onTestFinished(() => vm.close().then(() => {}))
    await vm.ready()
    expect(vm.hasPrinted('/dev/root / 9p rw')).toBeDefined()
    expect(readFileSync(join(root, 'written'), 'utf8')).toBe('I am 1\n')
  })

  test('a root file system without an init program ends the machine with a message on the console', async () => {
    const devices = [p9Directory(directory(), { boot: true, tag: 'empty' })]
    const vm = await VM.boot({ ...(await linuxGuest()), timeout: 60_000, devices })
    onTestFinished(() => vm.close().then(() => {}))
    await vm.expect('coldboot: the root file system empty has no program to start')
    await vm.waitForExit()
  })
})
