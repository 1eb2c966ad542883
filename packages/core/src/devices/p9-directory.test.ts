import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { kernelArgsOf, parseOptionString, qemuArgsOf } from '../../test/device-arguments.ts'
import { hostileName } from '../../test/hostile-names.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { type P9DirectoryOptions, p9Directory } from './p9-directory.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
const model = process.getuid?.() === 0 ? 'passthrough' : 'none'

test('the complete arguments', () => {
  expect(qemuArgsOf(p9Directory(folder))).toEqual([
    ...['-fsdev', `local,id=p9-0,path=${folder},security_model=${model},multidevs=remap`],
    ...['-device', 'virtio-9p-pci,fsdev=p9-0,mount_tag=tmpdir'],
  ])
  const device = p9Directory(folder, { tag: 'shared', readOnly: true, securityModel: 'mapped-file' })
  expect(qemuArgsOf(device, { arch: 's390x' })).toEqual([
    ...['-fsdev', `local,id=p9-0,path=${folder},security_model=mapped-file,multidevs=remap,readonly=on`],
    ...['-device', 'virtio-9p-ccw,fsdev=p9-0,mount_tag=shared'],
  ])
})

describe('the kernel command line has', () => {
  const flags = 'trans=virtio,version=9p2000.L,msize=262144'
  const cases: readonly [title: string, options: P9DirectoryOptions, words: readonly string[]][] = [
    ['nothing of a plain share', {}, []],
    ['the root', { boot: true }, ['root=/dev/root', 'rootfstype=9p', `rootflags=${flags}`, 'rw']],
    [
      'a read-only root by a name of its own',
      { boot: true, readOnly: true, tag: 'system' },
      ['root=system', 'rootfstype=9p', `rootflags=${flags}`, 'ro'],
    ],
    ['where to mount', { mountAt: '/mnt/a' }, [`coldboot.mount=/mnt/a:9p:tmpdir:rw,${flags}`]],
    ['where to mount read-only', { mountAt: '/mnt', readOnly: true }, [`coldboot.mount=/mnt:9p:tmpdir:ro,${flags}`]],
  ]
  test('the program of its initramfs that switches to another root, if there is one', () => {
    const words = kernelArgsOf(p9Directory(folder, { boot: true }), ['quiet', 'coldboot.rootinit=/etc/root'])
    expect(words.at(-1)).toBe('rdinit=/etc/root')
    expect(kernelArgsOf(p9Directory(folder), ['coldboot.rootinit=/etc/root'])).toEqual([])
  })

  test.each(cases)('%s', (_title, options, words) => {
    expect(kernelArgsOf(p9Directory(folder, options))).toEqual(words)
  })
})

test('passes any directory name unchanged and without additional options', () => {
  fc.assert(
    fc.property(hostileName, (name) => {
      const path = join(folder, name)
      mkdirSync(path, { recursive: true })
      const [, fsdev = ''] = qemuArgsOf(p9Directory(path))
      expect(parseOptionString(fsdev)).toEqual({
        '': 'local',
        id: 'p9-0',
        path,
        security_model: model,
        multidevs: 'remap',
      })
    }),
  )
})

describe('refused', () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const refused: readonly [title: string, path: string, options: object, code: string, message: RegExp][] = [
    ['a directory that is missing', '/nonexistent', {}, 'FILE_MISSING', /`p9Directory` does not exist: \/nonexistent/],
    ['a file', file, {}, 'FILE_MISSING', /`p9Directory` is not a directory/],
    ['a tag of 32 characters', folder, { tag: 'x'.repeat(32) }, 'INVALID_OPTION', /`tag` must be 1 to 31/],
    ['a tag with a blank', folder, { tag: 'a b' }, 'INVALID_OPTION', /`tag`/],
    ['a tag with an option', folder, { tag: 'a,b=c' }, 'INVALID_OPTION', /`tag`/],
    [
      'an unknown security model',
      folder,
      { securityModel: 'mapped' },
      'INVALID_OPTION',
      /`securityModel` must be one of/,
    ],
    ['a relative mount point', folder, { mountAt: 'mnt' }, 'INVALID_OPTION', /`mountAt` must be an absolute path/],
    ['a mount point with a blank', folder, { mountAt: '/a b' }, 'INVALID_OPTION', /`mountAt`/],
    ['a mount point for the root', folder, { mountAt: '/mnt', boot: true }, 'INVALID_OPTION', /cannot be combined/],
    ['an unknown option', folder, { readonly: true }, 'UNKNOWN_OPTION', /p9Directory: .*did you mean `readOnly`\?/],
  ]
  test.each(refused)('%s', (_title, path, options, code, message) => {
    const attempt = () => p9Directory(path, options)
    expect(attempt).toThrow(message)
    expect(attempt).toThrow(expect.objectContaining({ code }))
  })

  test('two devices with the same tag, and two roots, with their names', () => {
    const machine = (...devices: ReturnType<typeof p9Directory>[]) => resolveOptions({ firmware: 'none.bin', devices })
    expect(() => machine(p9Directory(folder), p9Directory(folder))).toThrow(/p9Directory and p9Directory .* tag tmpdir/)
    const roots = [p9Directory(folder, { boot: true }), p9Directory(folder, { boot: true, tag: 'other' })]
    expect(() => machine(...roots)).toThrow(/both have boot root/)
    expect(machine(p9Directory(folder), p9Directory(folder, { tag: 'other' })).devices).toHaveLength(2)
  })
})
