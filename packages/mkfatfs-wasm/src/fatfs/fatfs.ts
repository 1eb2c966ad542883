/**
 * Binding of FatFs R0.15 in WebAssembly, with a block device in JavaScript. Replaces the binding of js-fatfs, which needs Node or
 * a page, loads a separate file, and uses the time zone of the host.
 */
import { decodeBase64 } from './decode-base64.ts'
import { EMBEDDED_MODULE } from './embedded-module.ts'
import { FatFsError, RESULT } from './fatfs-error.ts'
import type { FormatParameters, RawEntry } from './fatfs-types.ts'
import { type BlockDevice, type ModuleHost, ModuleImports } from './module-imports.ts'

/** Options of {@link FatFs.load}. */
export interface FatFsOptions {
  /**
   * Code page of 8.3 names.
   * @default 850
   */
  readonly codePage?: number
  /**
   * WebAssembly to use instead of the embedded one, which lacks the code pages 932, 936, 949 and 950.
   * @default the embedded module
   */
  readonly module?: Uint8Array<ArrayBuffer>
  /**
   * Returns the time of new entries, milliseconds since 1970. FatFs stores it as UTC.
   * @default 1980-01-01
   */
  readonly clock?: () => number
}

/** The attribute of a directory. */
export const DIRECTORY = 0x10

interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** Declared here, because Node's types lack this global. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    compile(bytes: Uint8Array): Promise<object>
    instantiate(module: object, imports: object): Promise<{ readonly exports: object }>
  }
}

/** Functions of the module, under the short names of its compiler. */
interface Exports {
  readonly j: WasmMemory
  readonly k: () => void
  readonly o: (file: number) => number
  readonly p: (entry: number) => number
  readonly q: (entry: number) => number
  readonly r: (entry: number) => number
  readonly s: (entry: number) => number
  readonly t: (entry: number) => number
  readonly u: (entry: number) => number
  readonly w: (volume: number, path: number, mode: number) => number
  readonly x: (file: number, path: number, mode: number) => number
  readonly y: (file: number, target: number, bytes: number, done: number) => number
  readonly z: (file: number, source: number, bytes: number, done: number) => number
  readonly B: (file: number) => number
  readonly D: (directory: number, path: number) => number
  readonly F: (directory: number, entry: number) => number
  readonly G: (path: number, entry: number) => number
  readonly J: (path: number) => number
  readonly K: (path: number) => number
  readonly L: (from: number, to: number) => number
  readonly M: (path: number, parameters: number, work: number, bytes: number) => number
  readonly N: (codePage: number) => number
  readonly O: (address: number) => void
  readonly P: (bytes: number) => number
}

/** Sizes of FatFs' structures in this module, bytes. */
const VOLUME_BYTES = 4152
const FILE_BYTES = 4136
const DIRECTORY_BYTES = 48
const ENTRY_BYTES = 812
const PARAMETER_BYTES = 16
const WORK_BYTES = 2 ** 17
const CHUNK_BYTES = 2 ** 18
const WASM_PAGE_BYTES = 2 ** 16

const OPEN_READ = 0x01
const OPEN_WRITE_ANEW = 0x0a
const NO_PARTITIONS = 8
const MOUNT_AT_ONCE = 1

const FIRST_TIME = Date.UTC(1980, 0, 1)
const decoder = new TextDecoder()
const encoder = new TextEncoder()

let embedded: Promise<object> | undefined

/** FatFs with one drive. All methods except `load` are synchronous. */
export class FatFs implements ModuleHost {
  readonly #exports: Exports
  #memory: Uint8Array = new Uint8Array()
  device: BlockDevice

  static async load(device: BlockDevice, options: FatFsOptions = {}): Promise<FatFs> {
    embedded ??= WebAssembly.compile(decodeBase64(EMBEDDED_MODULE))
    const module = options.module === undefined ? await embedded : await WebAssembly.compile(options.module)
    const link = new ModuleImports(options.clock ?? (() => FIRST_TIME))
    const instance = await WebAssembly.instantiate(module, { a: link.functions })
    const fatfs = new FatFs(device, instance.exports as Exports)
    link.host = fatfs
    fatfs.#exports.k()
    fatfs.#check('f_setcp', fatfs.#exports.N(options.codePage ?? 850))
    return fatfs
  }

  private constructor(device: BlockDevice, exports: Exports) {
    this.device = device
    this.#exports = exports
  }

  /** The current memory of the module. Growing replaces it. */
  get memory(): Uint8Array {
    const { buffer } = this.#exports.j
    if (this.#memory.buffer !== buffer) this.#memory = new Uint8Array(buffer)
    return this.#memory
  }

  /** Formats the drive. @returns false if FatFs cannot create a volume with these parameters */
  format({ families, fats, rootSlots, clusterBytes }: FormatParameters): boolean {
    const result = this.#withMemory(PARAMETER_BYTES + WORK_BYTES + 1, (address) => {
      const parameters = new DataView(this.memory.buffer, address, PARAMETER_BYTES)
      parameters.setUint8(0, families | NO_PARTITIONS)
      parameters.setUint8(1, fats)
      parameters.setUint32(4, this.device.alignment, true)
      parameters.setUint32(8, rootSlots, true)
      parameters.setUint32(12, clusterBytes, true)
      const work = address + PARAMETER_BYTES
      this.memory[work + WORK_BYTES] = 0
      return this.#exports.M(work + WORK_BYTES, address, work, WORK_BYTES)
    })
    if (result === RESULT.formatAborted) return false
    this.#check('f_mkfs', result)
    return true
  }

  mount(): void {
    const volume = this.#exports.P(VOLUME_BYTES)
    this.#check(
      'f_mount',
      this.#withPath('', (path) => this.#exports.w(volume, path, MOUNT_AT_ONCE)),
    )
  }

  /** Returns the entries of a directory in stored order, without `.` and `..`. */
  readDirectory(path: string): RawEntry[] {
    return this.#withMemory(DIRECTORY_BYTES + ENTRY_BYTES, (directory) => {
      const entry = directory + DIRECTORY_BYTES
      const found: RawEntry[] = []
      const { D: open, F: read } = this.#exports
      this.#check(
        'f_opendir',
        this.#withPath(path, (address) => open(directory, address)),
      )
      for (;;) {
        this.#check('f_readdir', read(directory, entry))
        const next = this.#entry(entry)
        if (next.name === '') return found
        found.push(next)
      }
    })
  }

  /** Returns the entry at `path`; undefined if there is none. */
  stat(path: string): RawEntry | undefined {
    return this.#withMemory(ENTRY_BYTES, (entry) => {
      const result = this.#withPath(path, (address) => this.#exports.G(address, entry))
      if (result === RESULT.noFile || result === RESULT.noPath) return undefined
      this.#check('f_stat', result)
      return this.#entry(entry)
    })
  }

  /** Yields the contents of a file in chunks. A chunk is valid until the next one is requested. */
  *readFile(path: string): Generator<Uint8Array> {
    const file = this.#exports.P(FILE_BYTES + 4 + CHUNK_BYTES)
    const done = file + FILE_BYTES
    const chunk = done + 4
    try {
      this.#check(
        'f_open',
        this.#withPath(path, (address) => this.#exports.x(file, address, OPEN_READ)),
      )
      for (let left = this.#exports.o(file) >>> 0; left > 0; ) {
        this.#check('f_read', this.#exports.y(file, chunk, CHUNK_BYTES, done))
        const bytes = this.#number(done)
        if (bytes === 0) throw new FatFsError('f_read', RESULT.diskError)
        yield this.memory.subarray(chunk, chunk + bytes)
        left -= bytes
      }
    } finally {
      this.#exports.O(file)
    }
  }

  /** Creates a file, or replaces its contents. @returns false if the volume is full */
  writeFile(path: string, contents: Uint8Array): boolean {
    return this.#withMemory(FILE_BYTES + 4 + CHUNK_BYTES, (file) => {
      const done = file + FILE_BYTES
      const chunk = done + 4
      this.#check(
        'f_open',
        this.#withPath(path, (address) => this.#exports.x(file, address, OPEN_WRITE_ANEW)),
      )
      let isComplete = true
      for (let start = 0; start < contents.length && isComplete; start += CHUNK_BYTES) {
        const piece = contents.subarray(start, start + CHUNK_BYTES)
        this.memory.set(piece, chunk)
        this.#check('f_write', this.#exports.z(file, chunk, piece.length, done))
        isComplete = this.#number(done) === piece.length
      }
      this.#check('f_close', this.#exports.B(file))
      return isComplete
    })
  }

  /** Removes a file or an empty directory. */
  remove(path: string): void {
    this.#check(
      'f_unlink',
      this.#withPath(path, (address) => this.#exports.J(address)),
    )
  }

  makeDirectory(path: string): void {
    this.#check(
      'f_mkdir',
      this.#withPath(path, (address) => this.#exports.K(address)),
    )
  }

  rename(from: string, to: string): void {
    const result = this.#withPath(from, (old) => this.#withPath(to, (renamed) => this.#exports.L(old, renamed)))
    this.#check('f_rename', result)
  }

  #entry(address: number): RawEntry {
    const { p: size, q: date, r: time, s: attributes, t: shortName, u: name } = this.#exports
    return {
      name: this.#text(name(address)),
      shortName: this.#text(shortName(address)),
      size: size(address) >>> 0,
      date: date(address),
      time: time(address),
      attributes: attributes(address),
    }
  }

  #check(operation: string, result: number): void {
    if (result !== RESULT.ok) throw new FatFsError(operation, result)
  }

  #withPath<T>(path: string, call: (address: number) => T): T {
    const bytes = encoder.encode(`${path}\0`)
    return this.#withMemory(bytes.length, (address) => {
      this.memory.set(bytes, address)
      return call(address)
    })
  }

  #withMemory<T>(bytes: number, call: (address: number) => T): T {
    const address = this.#exports.P(bytes)
    try {
      return call(address)
    } finally {
      this.#exports.O(address)
    }
  }

  #number(address: number): number {
    return new DataView(this.memory.buffer).getUint32(address, true)
  }

  #text(address: number): string {
    const { memory } = this
    const end = memory.indexOf(0, address)
    return decoder.decode(memory.subarray(address, end))
  }

  /** Grows the memory. */
  grow(bytes: number): boolean {
    try {
      this.#exports.j.grow(Math.ceil((bytes - this.memory.length) / WASM_PAGE_BYTES))
      return true
    } catch {
      return false
    }
  }
}
