import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { unpackOutputs } from './packed-output.ts'

const stdout = Buffer.from(Array.from({ length: 1000 }, (_, index) => index * 7))
const stderr = Buffer.from('warning\n')
const zipped = Buffer.concat([gzipSync(stdout), gzipSync(stderr)])
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/.{76}/g, '$&\n')

describe('packed output', () => {
  test('is two consecutive files', () => {
    expect(unpackOutputs('gzip-base64', base64(zipped))).toEqual({ stdout, stderr })
  })

  test('has headers of any form', () => {
    // Name, comment, extra field and checksum of the header (RFC 1952).
    const header = Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 2, 0, 1, 2]),
      Buffer.from('o\0c\0\x12\x34'),
    ])
    const member = Buffer.concat([header, gzipSync(stdout).subarray(10)])
    expect(unpackOutputs('gzip-hex', Buffer.concat([member, gzipSync(stderr)]).toString('hex'))).toEqual({
      stdout,
      stderr,
    })
  })

  test('packed output without gzip has the sizes after it', () => {
    const text = `${stdout.toString('hex')}\n\x1d${stderr.toString('hex')}\x1d ${stdout.length}\n${stderr.length}\n`
    expect(unpackOutputs('hex', text)).toEqual({ stdout, stderr })
    expect(unpackOutputs('hex', text.replace('ab', ''))).toBeUndefined()
  })

  test('survives a kernel message anywhere in it', () => {
    const text = base64(zipped)
    for (let at = 0; at <= text.length; at += 5) {
      const noisy = `${text.slice(0, at)}[   12.345678] usb 1-1: new device\n${text.slice(at)}`
      expect(unpackOutputs('gzip-base64', noisy)).toEqual({ stdout, stderr })
    }
  })

  test('survives foreign text in all lines but the last, and never decodes to other output', () => {
    const text = base64(zipped)
    for (let at = 0; at <= text.length; at += 5) {
      const unpacked = unpackOutputs('gzip-base64', `${text.slice(0, at)}started: foo\n${text.slice(at)}`)
      const isWhole = at < text.lastIndexOf('\n') || unpacked !== undefined
      expect(unpacked).toEqual(isWhole ? { stdout, stderr } : undefined)
    }
  })

  test('packed output that is damaged is detected', () => {
    const text = base64(zipped)
    for (let at = 0; at < text.length - 10; at += 5) {
      expect(unpackOutputs('gzip-base64', text.slice(0, at) + text.slice(at + 5))).toBeUndefined()
    }
  })
})
