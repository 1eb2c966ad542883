import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCpio } from '../test/read-cpio.ts'
import { type CpioEntry, writeCpio } from './cpio.ts'

const ascii = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

describe('writeCpio', () => {
  test('writes the header of the newc format field by field', () => {
    const archive = ascii(writeCpio([{ type: 'file', path: 'etc/motd', mode: 0o644, data: Buffer.from('hi') }]))
    const fields = ['00000001', '000081A4', '00000000', '00000000', '00000001', '00000000', '00000002']
    const rest = ['00000000', '00000000', '00000000', '00000000', '00000009', '00000000']
    expect(archive.slice(0, 110)).toBe(`070701${[...fields, ...rest].join('')}`)
    expect(archive.slice(110, 124)).toBe('etc/motd\0\0hi\0\0')
    expect(archive.slice(124)).toMatch(/^070701.*TRAILER!!!\0+$/)
  })

  test('writes owners and times, and a file with two names once', () => {
    const inode = {}
    const owned = { mode: 0o600, uid: 1, gid: 2, mtime: 3, inode }
    const archive = ascii(
      writeCpio([
        { type: 'file', path: 'a', ...owned, data: Buffer.from('once') },
        { type: 'file', path: 'b', ...owned, data: Buffer.alloc(0) },
      ]),
    )
    const header = (size: string): string =>
      `070701${['00000001', '00008180', '00000001', '00000002', '00000002', '00000003', size].join('')}`
    expect(archive.slice(0, 62)).toBe(header('00000004'))
    expect(archive.slice(116, 178)).toBe(header('00000000'))
  })

  test('marks each kind of entry by its file type', () => {
    const entries: CpioEntry[] = [
      { type: 'directory', path: 'dev', mode: 0o755 },
      { type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
      { type: 'block', path: 'dev/vda', mode: 0o660, major: 254, minor: 0 },
      { type: 'symlink', path: 'init', target: 'bin/busybox' },
    ]
    expect(
      readCpio(writeCpio(entries)).map(({ path, mode, major, minor, data }) => [path, mode, major, minor, ascii(data)]),
    ).toEqual([
      ['dev', 0o040755, 0, 0, ''],
      ['dev/console', 0o020600, 5, 1, ''],
      ['dev/vda', 0o060660, 254, 0, ''],
      ['init', 0o120777, 0, 0, 'bin/busybox'],
    ])
  })

  test('keeps paths and contents of any length', () => {
    const name = fc.stringMatching(/^[a-zé-]{1,20}$/)
    const file = fc.record({ path: name, data: fc.uint8Array({ maxLength: 64 }) })
    fc.assert(
      fc.property(fc.array(file), (files) => {
        const archive = writeCpio(files.map(({ path, data }) => ({ type: 'file', path, data, mode: 0o600 })))
        expect(archive.length % 4).toBe(0)
        expect(readCpio(archive).map(({ path, data }) => ({ path, data: new Uint8Array(data) }))).toEqual(files)
      }),
    )
  })

  test('writes no time and no owner by default, so that two runs produce the same bytes', () => {
    const [entry] = readCpio(writeCpio([{ type: 'directory', path: 'a', mode: 0o700 }]))
    expect(entry).toMatchObject({ inode: 1, uid: 0, gid: 0, mtime: 0 })
  })
})
