// Starts no machine, but needs Debian's tools and archive, which only the hosts of machine tests have.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { openArchive } from './apt.ts'
import { readDeb } from './dpkg-deb.ts'
import { isStaticElf } from './elf.ts'

const PATIENCE = { timeout: 300_000 }
const scratch = (): Promise<string> => mkdtemp(join(tmpdir(), 'apt-'))

describe('the archive', () => {
  test('downloads a package of another architecture with its stated checksum', PATIENCE, async () => {
    const archive = await openArchive('arm64', await scratch())
    const found = await archive.find('busybox-static')
    const onFraction = vi.fn()
    const path = await archive.download(found, onFraction)
    expect(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    ).toBe(found.sha256)
    let busybox: Uint8Array | undefined
    await readDeb(path, async (member) => {
      if (member.path.endsWith('bin/busybox')) busybox = await member.read()
    })
    expect(isStaticElf(busybox ?? new Uint8Array(0))).toBe(true)
    // EM_AARCH64 of elf.h.
    expect(busybox?.[0x12]).toBe(183)
  })

  test('reports a package name that does not exist', PATIENCE, async () => {
    const archive = await openArchive('arm64', await scratch())
    await expect(archive.find('linux-image-does-not-exist', 'Try another.')).rejects.toThrow(
      expect.objectContaining({
        code: 'GUEST_KERNEL_UNAVAILABLE',
        shortMessage: "This system's archive has no package linux-image-does-not-exist for arm64",
        hint: 'Try another.',
      }),
    )
  })

  test('refuses a directory whose path apt cannot use', async () => {
    await expect(openArchive('arm64', `${await scratch()}/a"b`)).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})
