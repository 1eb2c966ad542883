// Starts no machine, but needs Debian's tools, which only the hosts of machine tests have.
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { readDeb, unxzByDpkg } from './dpkg-deb.ts'

const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'GUEST_KERNEL_UNAVAILABLE', shortMessage: expect.stringMatching(message) })

describe('unxzByDpkg', () => {
  // 1040 bytes of x86 calls, packed as kernels are: xz --check=crc32 --x86 --lzma2=dict=1MiB.
  const packed = Buffer.from(
    '/Td6WFoAAAFpIt42AgEEACEBEACLIW9J4AQPAHFdADGbyc2KeUZ4DEvFPpo0yGTV7tso5uSq1E1GYZePprxGdFekr8UiHis19YncrZtkwB367wW4omU9gSnKpPtT6agGNbNn7q8/nhGXg07hMgDfMuuX0Kg/hC6z40FaPHwoXzMGx8jfmgZRewFz3OAf/HgAAAAAAM0DLVYAAYkBkAgAAGEI2XQ+MA2LAgAAAAABWVo=',
    'base64',
  )

  test('unpacks an xz stream with the filter that kernels are packed with', async () => {
    const unpacked = await unxzByDpkg(packed)
    expect(unpacked.length).toBe(1040)
    expect(createHash('md5').update(unpacked).digest('hex')).toBe('669742662a934f4bffca3d9413ef9c67')
  })

  test('refuses a damaged stream', async () => {
    const damaged = Buffer.from(packed)
    damaged.fill(0xaa, 40, 60)
    await expect(unxzByDpkg(damaged)).rejects.toThrow(unavailable(/dpkg-deb says/))
  })
})

describe('readDeb', () => {
  test('visits every file of a package, whether its content is read or not', async () => {
    const root = await mkdtemp(join(tmpdir(), 'deb-'))
    const files = new Map(Array.from({ length: 300 }, (_, at) => [`opt/f${at}`, randomBytes((at * 997) % 50_000)]))
    await mkdir(join(root, 'DEBIAN'))
    await mkdir(join(root, 'opt'))
    await writeFile(
      join(root, 'DEBIAN', 'control'),
      'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: x\n',
    )
    for (const [path, content] of files) await writeFile(join(root, path), content)
    const deb = `${root}.deb`
    await execa('dpkg-deb', ['--build', '-Zxz', '-z0', root, deb])
    const seen = new Set<string>()
    const differing: string[] = []
    await readDeb(deb, async (member) => {
      if (member.type !== 'file') return
      seen.add(member.path)
      if (seen.size % 3 === 0) return
      const content = await member.read()
      if (Buffer.compare(content, files.get(member.path) ?? Buffer.alloc(0)) !== 0) differing.push(member.path)
    })
    expect(seen).toEqual(new Set(files.keys()))
    expect(differing).toEqual([])
  })

  test('reports a file that is not a package', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'deb-')), 'no.deb')
    await writeFile(path, 'not a package')
    await expect(readDeb(path, async () => {})).rejects.toThrow(unavailable(/no\.deb: dpkg-deb says ".*archive.*"/))
  })

  test('rejects with the error of the visitor', async () => {
    const root = await mkdtemp(join(tmpdir(), 'deb-'))
    await mkdir(join(root, 'DEBIAN'))
    await writeFile(
      join(root, 'DEBIAN', 'control'),
      'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: x\n',
    )
    await writeFile(join(root, 'large'), randomBytes(4_000_000))
    await execa('dpkg-deb', ['--build', '-Zxz', '-z0', root, `${root}.deb`])
    await expect(readDeb(`${root}.deb`, () => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full')
  })
})
