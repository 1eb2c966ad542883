import { createCipheriv, createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { VM } from '@coldboot/core'
import { hostArchitecture } from '@coldboot/core/internal'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { busyboxEntries, makeDockerArchive, makeOciLayout, makeTar } from '../../test/make-tar.ts'
import { rootfs } from './rootfs.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rootfs-'))
})
afterEach(() => rm(directory, { recursive: true }))

// The roots contain the busybox of the package @coldboot/guest-x86_64.
describe.runIf(hostArchitecture() === 'x86_64')('a machine with the root of', () => {
  test('a docker save archive runs its entrypoint and reports the exit status', async () => {
    const script = [
      '#!/bin/sh',
      'echo "arguments: $*"',
      'echo "user: $(id -u):$(id -g), directory: $(pwd), setting: $SETTING, terminal: $(tty)"',
      'echo output >/dev/stdout',
      'cat /etc/hosts',
      'exit 7',
    ].join('\n')
    const layers = [
      // Docker leaves an empty file in some images.
      await makeTar([...(await busyboxEntries(['sh', 'id', 'tty', 'cat'])), ['etc/hosts', '']]),
      await makeTar([
        ['app/run', script, { mode: 0o755 }],
        ['data/', { mode: 0o755, uid: 1234, gid: 99 }],
      ]),
    ]
    const archive = join(directory, 'image.tar')
    const config = {
      Entrypoint: ['/app/run', "it's"],
      Cmd: ['two words'],
      Env: ['SETTING=$(a "b")'],
      WorkingDir: '/data',
      User: '1234:99',
    }
    await writeFile(archive, await makeDockerArchive(layers, config))
    await using vm = await VM.boot(await rootfs(archive))
    const { groups } = await vm.expect(/ended with status (?<status>\d+)/, { timeout: 60_000 })
    expect(groups['status']).toBe('7')
    expect(vm.output).toContain("arguments: it's two words\n")
    expect(vm.output).toContain('user: 1234:99, directory: /data, setting: $(a "b"), terminal: /dev/console\noutput\n')
    expect(vm.output).toContain('127.0.0.1 localhost\n::1 localhost\n')
    expect(await vm.waitForExit({ timeout: 30_000 })).toMatchObject({ reason: 'guest-shutdown' })
  })

  test.for(['memory', 'disk'] as const)('an OCI layout in %s is complete in each machine', async (storage) => {
    // Incompressible, but the same in each run, so that the template can be reused.
    const large = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(300_000))
    const many = Array.from({ length: 600 }, (_, at) => [`many/entry-${at}`, String(at)] as const)
    const lower = await makeTar([
      ...(await busyboxEntries(['sh', 'ls', 'cat', 'stat', 'sha256sum', 'readlink'])),
      ['etc/old', 'old'],
      ['etc/hosts', '127.0.0.1 own\n'],
      ['etc/one', 'one', { mode: 0o640, uid: 3, gid: 4 }],
      ['etc/two', { type: 'link', linkname: 'etc/one' }],
      ['etc/long', { type: 'symlink', linkname: `/${'name/'.repeat(700)}` }],
      ['srv/null', { type: 'character-device', mode: 0o600, devmajor: 1, devminor: 300 }],
      ['srv/pipe', { type: 'fifo', mode: 0o640 }],
      ['large', large],
      ...many,
    ])
    const upper = await makeTar([['etc/.wh.old', '']])
    const layers = [lower, upper].map((tar) => ({ tar, stored: zstdCompressSync(tar) }))
    await makeOciLayout(directory, [{ layers, config: { Cmd: ['/bin/sh'], Env: ['GREETING=hello'] } }])
    const root = await rootfs(directory, { storage })
    const look = `cd /
      ls etc
      cat etc/hosts
      stat -c "%n %a %u:%g %h %F %t:%T %Y" etc/one etc/two srv/*
      readlink etc/long | wc -c
      sha256sum <large
      cat many/* | wc -c; ls many | tail -n 1
      echo "$GREETING"
      echo x >etc/new && rm etc/one`
    const expected = [
      'hosts\nlong\none\ntwo',
      '127.0.0.1 own',
      'etc/one 640 3:4 2 regular file 0:0 1600000000',
      'etc/two 640 3:4 2 regular file 0:0 1600000000',
      'srv/null 600 0:0 1 character special file 1:12c 1600000000',
      'srv/pipe 640 0:0 1 fifo 0:0 1600000000',
      '3502',
      `${createHash('sha256').update(large).digest('hex')}  -`,
      `${many.map(([, content]) => content).join('').length}\nentry-99`,
      'hello\n',
    ].join('\n')
    for (let machine = 0; machine < 2; machine++) {
      await using vm = await VM.start({ ...root, template: 'required' })
      expect((await vm.run(look, { timeout: 30_000 })).stdout).toBe(expected)
      vm.send('echo on the console: $((40 + 2))\n')
      await vm.expect('on the console: 42\n')
    }
  })

  test('a directory starts its own init, runs commands of the agent, and can be read-only', async () => {
    const script = '#!/bin/sh\nmount -t proc proc /proc; echo "init is $$"; exec sleep 1000\n'
    for (const [name, content] of await busyboxEntries([])) {
      if (content instanceof Uint8Array) await put(name, content)
    }
    await put('sbin/init', script)
    for (const program of ['sh', 'sleep', 'mount']) await symlink('busybox', join(directory, 'bin', program))
    const root = await rootfs(directory, { writable: false, storage: 'disk' })
    expect(root.ready).toBeUndefined()
    await using vm = await VM.start({ ...root, ready: 'init is 1', template: 'off' })
    const { stdout, stderr } = await vm.run('grep -o "^[^ ]* / erofs ro" /proc/mounts; echo x >/new', { check: false })
    expect(stdout).toBe('/dev/vda / erofs ro\n')
    expect(stderr).toContain('Read-only file system')
  })

  async function put(name: string, content: string | Uint8Array): Promise<void> {
    const path = join(directory, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content, { mode: 0o755 })
  }
})
