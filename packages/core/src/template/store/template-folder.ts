/** Reads and verifies the folder of a template, and writes the manifest of a new one. */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeCrypto } from '../../host/lazy-node.ts'
import type { StateFile } from '../../qemu/state/state-file.ts'
import { isTemplateKey } from './template-key.ts'

/** A stored template. */
export interface StoredTemplate {
  readonly key: string
  /** Hash of the manifest. Two templates with the same key have different ids, because no two boots are the same. */
  readonly id: string
  readonly directory: string
  /** Sparse file with the guest memory; for a layer, that of the lowest template. */
  readonly memoryFile: string
  /** For a layer: states with changed pages, the oldest first, the last one of the layer itself. Otherwise empty. */
  readonly layers: readonly StateFile[]
  /** Copies of the files in the private directory of the machine: disk overlays, firmware variables. */
  readonly filesDirectory: string
  /** Console output until the save. */
  readonly console: Uint8Array
  /** Content of each device that can be attached after a restore; null for other devices. */
  readonly contents: readonly (string | null)[]
  /** File with the device state. */
  readonly stateFile: string
}

/** The reason why a machine cannot be saved. Stored, so that the save is not tried again. */
export interface Unsavable {
  readonly unsavable: string
}

/** The base of a new layer, and the state of the layer in {@link STATE_FILE}. */
export interface LayerParts {
  readonly base: StoredTemplate
  readonly state: StateFile
}

/** Result for a layer whose base is missing, or was made again and so differs. */
export const BASELESS = 'baseless'

/** File names inside a template folder. */
export const MEMORY_FILE = 'memory'
export const STATE_FILE = 'state'
export const CONSOLE_FILE = 'console.log'
export const FILES_DIRECTORY = 'files'
export const CONTENTS_FILE = 'contents.json'
/** Folder with the composed memory and the state of a layer. It can be made again. */
export const COMPOSED_DIRECTORY = 'composed'
const MANIFEST_FILE = 'manifest.json'

interface FileTraits {
  readonly size: number
  readonly mtimeMs: number
}

type Layer = FileTraits & Omit<StateFile, 'path'>

/**
 * Has either `unsavable`, or `memory` and `state` (template), or `layer` and `base` (layer). Hashes are hexadecimal.
 */
interface Manifest {
  readonly unsavable?: string
  readonly memory?: FileTraits
  readonly state?: string
  readonly layer?: Layer
  readonly base?: { readonly key: string; readonly id: string }
  readonly console?: string
  readonly contents?: string
}

/** Finds the base of a layer by its key. */
export type FindBase = (key: string) => ReturnType<typeof readTemplateFolder>

/** Reads and verifies a folder. Returns undefined if it does not exist. */
export function readTemplateFolder(
  key: string,
  directory: string,
  findBase: FindBase,
): StoredTemplate | Unsavable | 'damaged' | typeof BASELESS | undefined {
  const manifest = readManifest(directory)
  if (manifest === undefined) {
    return statSync(directory, { throwIfNoEntry: false }) === undefined ? undefined : 'damaged'
  }
  const { unsavable, memory, state, layer, base } = manifest
  if (typeof unsavable === 'string') return { unsavable }
  const [console, contents] = [CONSOLE_FILE, CONTENTS_FILE].map((name) => readOrUndefined(join(directory, name)))
  if (console === undefined || sha256(console) !== manifest.console) return 'damaged'
  if (contents === undefined || sha256(contents) !== manifest.contents) return 'damaged'
  const contentsOfDevices = parseContents(contents)
  if (contentsOfDevices === undefined) return 'damaged'
  const stateFile = join(directory, STATE_FILE)
  const common = {
    key,
    id: manifest.id,
    directory,
    contents: contentsOfDevices,
    filesDirectory: join(directory, FILES_DIRECTORY),
    console,
    stateFile,
  }
  if (layer === undefined || base === undefined) {
    const memoryFile = join(directory, MEMORY_FILE)
    const bytes = readOrUndefined(stateFile)
    if (!hasTraits(memoryFile, memory) || bytes === undefined || sha256(bytes) !== state) return 'damaged'
    return { ...common, memoryFile, layers: [] }
  }
  if (!hasTraits(stateFile, layer) || !isInside(layer)) return 'damaged'
  const found = findBase(base.key)
  if (typeof found !== 'object' || 'unsavable' in found || found.id !== base.id) return BASELESS
  const { headBytes, pagesBytes, isWhole } = layer
  return {
    ...common,
    memoryFile: found.memoryFile,
    layers: [...found.layers, { path: stateFile, headBytes, pagesBytes, isWhole }],
  }
}

/** The layer with its composed memory and a state without pages; undefined if the layer was not composed. */
export function readComposed(stored: StoredTemplate): StoredTemplate | undefined {
  const directory = join(stored.directory, COMPOSED_DIRECTORY)
  const [memoryFile, path] = [join(directory, MEMORY_FILE), join(directory, STATE_FILE)]
  const manifest = readManifest(directory)
  const bytes = manifest && readOrUndefined(path)
  if (manifest?.layer === undefined || bytes === undefined || sha256(bytes) !== manifest.state) return undefined
  if (!hasTraits(memoryFile, manifest.memory)) return undefined
  const { headBytes } = manifest.layer
  return { ...stored, memoryFile, stateFile: path, layers: [{ path, headBytes, pagesBytes: 0, isWhole: false }] }
}

/** Writes the manifest of a composed layer. @param state the state in {@link STATE_FILE}, which has no pages */
export function sealComposed(directory: string, { headBytes, pagesBytes, isWhole }: StateFile): void {
  const [memoryFile, path] = [join(directory, MEMORY_FILE), join(directory, STATE_FILE)]
  const layer = { ...traitsOf(path), headBytes, pagesBytes, isWhole }
  const manifest: Manifest = { memory: traitsOf(memoryFile), state: sha256(readFileSync(path)), layer }
  writeFileSync(join(directory, MANIFEST_FILE), JSON.stringify(manifest), { mode: 0o600 })
}

/** Parses a list of strings and nulls; undefined if the data is anything else. */
function parseContents(bytes: Uint8Array): readonly (string | null)[] | undefined {
  try {
    const list: unknown = JSON.parse(Buffer.from(bytes).toString())
    const isList = Array.isArray(list) && list.every((content) => content === null || typeof content === 'string')
    return isList ? list : undefined
  } catch {
    return undefined
  }
}

/** Whether the sizes of the parts of a layer's state fit the size of its file. */
function isInside({ size, headBytes, pagesBytes, isWhole }: Layer): boolean {
  const areLengths = [headBytes, pagesBytes].every((length) => Number.isSafeInteger(length) && length >= 0)
  return areLengths && headBytes + pagesBytes <= size && typeof isWhole === 'boolean'
}

/** Key of the base of a layer; undefined for other templates. */
export function baseOf(directory: string): string | undefined {
  return readManifest(directory)?.base?.key
}

/** Writes the manifest of a folder. @param made the reason if the machine cannot be saved, or the parts of a layer */
export function sealTemplateFolder(directory: string, made: string | LayerParts | undefined): void {
  const manifest: Manifest = typeof made === 'string' ? { unsavable: made } : manifestOf(directory, made)
  writeFileSync(join(directory, MANIFEST_FILE), JSON.stringify(manifest), { mode: 0o600 })
}

function manifestOf(directory: string, layer: LayerParts | undefined): Manifest {
  const hashes = {
    console: sha256(readFileSync(join(directory, CONSOLE_FILE))),
    contents: sha256(readFileSync(join(directory, CONTENTS_FILE))),
  }
  const stateFile = join(directory, STATE_FILE)
  if (layer === undefined) {
    const memoryFile = join(directory, MEMORY_FILE)
    // Writable for the owner, because QEMU opens the file for writing even if machines map it privately.
    chmodSync(memoryFile, 0o600)
    return { memory: traitsOf(memoryFile), state: sha256(readFileSync(stateFile)), ...hashes }
  }
  const { headBytes, pagesBytes, isWhole } = layer.state
  const { key, id } = layer.base
  return { layer: { ...traitsOf(stateFile), headBytes, pagesBytes, isWhole }, base: { key, id }, ...hashes }
}

function readManifest(directory: string): (Manifest & { readonly id: string }) | undefined {
  try {
    const text = readFileSync(join(directory, MANIFEST_FILE))
    const manifest = JSON.parse(text.toString()) as Manifest
    // The key becomes part of a path, and the folder may come from an untrusted archive.
    if (manifest.base !== undefined && !isTemplateKey(manifest.base.key)) return undefined
    return { ...manifest, id: sha256(text) }
  } catch {
    return undefined
  }
}

function traitsOf(file: string): FileTraits {
  const { size, mtimeMs } = statSync(file)
  return { size, mtimeMs }
}

// Hashing guest memory would take longer than a restore. The file is never written again, so its size and modification
// time are compared instead, in whole seconds, because archives such as those of CI caches keep no fractions.
function hasTraits(file: string, traits: FileTraits | null | undefined): boolean {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats === undefined || traits === undefined || traits === null) return false
  return stats.size === traits.size && wholeSeconds(stats) === wholeSeconds(traits)
}

function wholeSeconds({ mtimeMs }: { readonly mtimeMs: number }): number {
  return Math.floor(mtimeMs / 1000)
}

function readOrUndefined(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

function sha256(data: Uint8Array): string {
  return nodeCrypto().createHash('sha256').update(data).digest('hex')
}
