/** Test suite of file transfers for all transports. */
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  type Dirent,
  lstatSync,
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
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GuestTransport } from '../src/guest/run-options.ts'
import type { VM } from '../src/machine/vm.ts'

/** Options of {@link fileContract}. */
export interface FileContractOptions {
  /** Whether the user of the transport is root and may change kernel settings. @default true */
  readonly isRoot?: boolean
}

/** Sizes above that of a single message of the transport. The guest agent transfers pieces of 4 MiB. */
const LARGE_BYTES: Readonly<Record<GuestTransport, number>> = {
  agent: 5_000_000,
  'guest-agent': 5_000_000,
  shell: 30_000,
}

/** The entries of a tree, each with path, permissions and content. */
function listing(tree: string): string[] {
  const content = (path: string, entry: Dirent): string => {
    if (entry.isSymbolicLink()) return readlinkSync(path)
    return entry.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
  }
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const mode = entry.isSymbolicLink() ? '' : (lstatSync(path).mode & 0o7777).toString(8)
      return `${relative(tree, path)} ${mode} ${content(path, entry)}`
    })
    .toSorted()
}

/**
 * @param via transport to use
 * @param machine machine under test; its guest has `tar`, `gzip`, `md5sum` and `stat`
 */
export function fileContract(
  via: GuestTransport,
  machine: () => VM,
  { isRoot = true }: FileContractOptions = {},
): void {
  const name = randomBytes(4).toString('hex')
  const inGuest = `/tmp/files-${name}`
  const onHost = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  const write = (path: string, data: string | Uint8Array, options: object = {}): Promise<void> =>
    machine().writeFile(path, data, { via, ...options })
  const read = (path: string, options: object = {}): Promise<string> => machine().readFile(path, { via, ...options })
  const readBytes = async (path: string): Promise<Buffer> =>
    Buffer.from(await machine().readFile(path, { via, encoding: 'buffer' }))
  const run = async (command: string | readonly string[]): Promise<string> =>
    (await machine().run(command, { via })).stdout.trim()

  describe(`a file via the ${via}`, () => {
    beforeAll(async () => {
      await run(['mkdir', '-p', inGuest])
    })
    afterAll(async () => {
      await run(['rm', '-rf', inGuest])
      rmSync(onHost, { recursive: true })
    })

    test.each([0, 1, 3_000, LARGE_BYTES[via]])(
      'a file of %d bytes is unchanged after a write and a read',
      { timeout: 300_000 },
      async (size) => {
        const bytes = randomBytes(size)
        await write(`${inGuest}/bytes`, bytes)
        expect(await run(`md5sum <${inGuest}/bytes`)).toContain(createHash('md5').update(bytes).digest('hex'))
        expect((await readBytes(`${inGuest}/bytes`)).equals(bytes)).toBe(true)
        await run(['rm', `${inGuest}/bytes`])
      },
    )

    test('a file of text is read as a string', async () => {
      await write(`${inGuest}/text`, '\ufeffgrün\r\n\n')
      expect(await read(`${inGuest}/text`)).toBe('\ufeffgrün\r\n\n')
    })

    test.each(['it\'s $HOME `x` \\ "!"', 'größe 😀', '-rf', 'two\nlines'])(
      'a file may be called %j',
      async (hostile) => {
        await write(`${inGuest}/${hostile}`, 'content')
        expect(await read(`${inGuest}/${hostile}`)).toBe('content')
        expect(await run(['cat', `${inGuest}/${hostile}`])).toBe('content')
      },
    )

    test('a file has the given mode, or keeps its own', async () => {
      const path = `${inGuest}/mode`
      const mode = (): Promise<string> => run(['stat', '-c', '%a', path])
      await write(path, '')
      expect(await mode()).toBe('644')
      await write(path, '#!/bin/sh\n', { mode: 0o4755 })
      expect(await mode()).toBe('4755')
      await run(['chmod', '600', path])
      await write(path, '')
      expect(await mode()).toBe('600')
    })

    test('a file of the kernel can be read, although it has no size', async () => {
      expect(await read('/proc/version')).toMatch(/^Linux version /)
    })

    test.runIf(isRoot)('a file of the kernel can be written and read', async () => {
      await write('/proc/sys/kernel/domainname', `of-${via}`)
      expect(await read('/proc/sys/kernel/domainname')).toBe(`of-${via}\n`)
    })

    test('a missing file is reported', async () => {
      const path = `${inGuest}/no/such`
      const missing = { name: 'GuestFileError', code: 'GUEST_FILE_MISSING', path }
      await expect(read(path)).rejects.toMatchObject({
        ...missing,
        message: expect.stringMatching(/\/no\/such in ".*" could not be read: .*no such file or directory/i),
      })
      await expect(write(path, 'x')).rejects.toMatchObject(missing)
      await expect(machine().copyOut(path, join(onHost, 'none'), { via })).rejects.toMatchObject(missing)
    })

    test('a file without write permission is reported', async () => {
      // Even root has no permission.
      await expect(write('/sys/kernel/uevent_seqnum', '1')).rejects.toMatchObject({
        code: 'GUEST_FILE_DENIED',
        message: expect.stringMatching(/could not be written: .*permission denied/i),
      })
    })

    test('a directory instead of a file is reported', async () => {
      await expect(read('/tmp')).rejects.toMatchObject({
        code: 'GUEST_FILE_FAILED',
        message: expect.stringMatching(/is a directory|illegal operation on a directory/i),
      })
    })

    test.runIf(isRoot)('a file that does not fit on the disk is reported', async () => {
      await run(`mkdir ${inGuest}/small && mount -t tmpfs -o size=16k tmpfs ${inGuest}/small`)
      await expect(write(`${inGuest}/small/file`, randomBytes(20_000))).rejects.toThrow(/no space left/i)
      await run(`umount ${inGuest}/small`)
    })

    test('files are transferred concurrently', async () => {
      const count = via === 'agent' ? 40 : 4
      const texts = Array.from({ length: count }, (_, index) => `text ${index}`)
      await Promise.all(texts.map((text, index) => write(`${inGuest}/many-${index}`, text)))
      expect(await Promise.all(texts.map((_, index) => read(`${inGuest}/many-${index}`)))).toEqual(texts)
    })

    test('a transfer that takes too long, or is aborted, is cancelled', async () => {
      await run(`mkfifo ${inGuest}/pipe; (sleep 1000 >${inGuest}/pipe) >/dev/null 2>&1 & :`)
      // The agent does not wait for a pipe. Other transports would keep the data of /dev/zero.
      const endless = via === 'agent' ? '/dev/zero' : `${inGuest}/pipe`
      await expect(read(endless, { timeout: 500 })).rejects.toMatchObject({ code: 'COMMAND_TIMEOUT' })
      const reason = new Error('enough')
      await expect(read('/proc/version', { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
        code: 'COMMAND_ABORTED',
      })
      expect(await read('/proc/version')).toContain('Linux')
    })

    test.runIf(via !== 'guest-agent')('a transfer that waits for others ends when its signal aborts', async () => {
      const endless = via === 'agent' ? '/dev/zero' : `${inGuest}/pipe`
      const controller = new AbortController()
      const settled: unknown[] = []
      const others = Array.from({ length: via === 'agent' ? 8 : 1 }, () =>
        read(endless, { signal: controller.signal }).catch((error: unknown) => settled.push(error)),
      )
      const waiting = read('/proc/version', { signal: AbortSignal.timeout(300) })
      await expect(waiting).rejects.toMatchObject({ code: 'COMMAND_ABORTED' })
      expect(settled).toEqual([])
      controller.abort(new Error('enough'))
      await Promise.all(others)
      expect(await read('/proc/version')).toContain('Linux')
    })
  })

  describe(`a tree via the ${via}`, () => {
    const tree = join(onHost, 'tree')
    beforeAll(() => {
      mkdirSync(join(tree, 'a', 'empty'), { recursive: true })
      writeFileSync(join(tree, 'a', 'größe 😀.bin'), randomBytes(20_000))
      writeFileSync(join(tree, 'run.sh'), '#!/bin/sh\necho ran\n', { mode: 0o755 })
      writeFileSync(join(tree, 'empty'), '')
      writeFileSync(join(tree, 'back\\slash'), 'x')
      writeFileSync(join(tree, 'a', `${'long'.repeat(50)}`), 'y')
      for (let index = 0; index < 100; index++) writeFileSync(join(tree, 'a', `file-${index}`), `${index}`)
      chmodSync(join(tree, 'a', 'empty'), 0o700)
      symlinkSync('run.sh', join(tree, 'link'))
      symlinkSync('/nowhere', join(tree, 'a', 'dangling'))
    })

    test('a tree is transferred unchanged in both directions', async () => {
      await machine().copyIn(tree, `${inGuest}/deep/tree`, { via })
      expect(await run(`${inGuest}/deep/tree/link`)).toBe('ran')
      expect(await run(`stat -c %u ${inGuest}/deep/tree/run.sh`)).toBe(await run('id -u'))
      const back = join(onHost, 'back', 'tree')
      await machine().copyOut(`${inGuest}/deep/tree`, back, { via })
      expect(listing(back)).toEqual(listing(tree))
    })

    test('a tree replaces existing files', async () => {
      await run(`mkdir -p ${inGuest}/over/a; echo old >${inGuest}/over/empty; echo other >${inGuest}/over/other`)
      await machine().copyIn(tree, `${inGuest}/over`, { via })
      expect(await run(`cat ${inGuest}/over/empty ${inGuest}/over/other`)).toBe('other')
    })

    test('a tree of one file is the file with its mode, in a created directory', async () => {
      await machine().copyIn(join(tree, 'run.sh'), `${inGuest}/one/again`, { via })
      await machine().copyIn(join(tree, 'run.sh'), `${inGuest}/one/`, { via })
      expect(await run(`cd ${inGuest}/one && ./again && ./run.sh`)).toBe('ran\nran')
      const back = join(onHost, 'one', 'file')
      await machine().copyOut(`${inGuest}/one/again`, back, { via })
      expect([readFileSync(back, 'utf8'), statSync(back).mode & 0o777]).toEqual(['#!/bin/sh\necho ran\n', 0o755])
    })

    test('a tree that is missing on the host is rejected before anything is done', async () => {
      await expect(machine().copyIn(join(onHost, 'none'), '/tmp', { via })).rejects.toMatchObject({
        code: 'FILE_MISSING',
      })
    })

    test('a tree that cannot be written is reported', async () => {
      await write(`${inGuest}/file`, '')
      await expect(machine().copyIn(tree, `${inGuest}/file/below`, { via })).rejects.toMatchObject({
        name: 'GuestFileError',
        code: 'GUEST_FILE_MISSING',
      })
      await expect(machine().copyIn(tree, '/sys/kernel', { via })).rejects.toMatchObject({ name: 'GuestFileError' })
    })
  })
}
