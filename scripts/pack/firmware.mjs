// @ts-check
/** UEFI firmware of a Debian package, with a descriptor whose paths are relative to its folder. */
import { posix } from 'node:path'
import { toQcow2 } from './qcow2.mjs'

const DESCRIPTORS = 'share/qemu/firmware'

/**
 * @typedef {{ device: string, executable: FlashFile, 'nvram-template': FlashFile }} Mapping
 * @typedef {{ filename: string, format: string }} FlashFile
 */

/**
 * The files of a firmware, by their path in the package.
 * @param {import('./debian-files.mjs').DebianFiles} debian @param {string} name of the descriptor
 * @returns {Map<string, import('./debian-files.mjs').FoundFile>}
 */
export function gatherFirmware(debian, name) {
  const path = `${DESCRIPTORS}/${name}`
  const file = debian.get(`usr/${path}`)
  /** @type {{ mapping: Mapping }} */
  const descriptor = JSON.parse(Buffer.from(file.data).toString())
  const files = new Map()
  const place = (/** @type {FlashFile} */ { filename }) => {
    const raw = debian.get(filename.slice(1))
    const own = filename.replace(/^\/usr\//, '')
    const compact = toQcow2(raw.data)
    const isCompact = compact.length < raw.data.length / 2
    const target = isCompact ? own.replace(/\.fd$/, '.qcow2') : own
    files.set(target, isCompact ? { ...raw, data: compact } : raw)
    return { filename: posix.relative(DESCRIPTORS, target), format: isCompact ? 'qcow2' : 'raw' }
  }
  const { executable, 'nvram-template': variables } = descriptor.mapping
  const mapping = { ...descriptor.mapping, executable: place(executable), 'nvram-template': place(variables) }
  const data = Buffer.from(`${JSON.stringify({ ...descriptor, mapping }, undefined, 2)}\n`)
  return files.set(path, { ...file, data })
}
