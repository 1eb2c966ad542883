/**
 * Writes the state of a machine to a file: a head, pages of guest memory, and a tail with the devices. Only pages that
 * differ from the memory with which the machine was started are stored. To load the state, the pages of earlier states
 * and then those of this state are loaded over that memory.
 */
import { createReadStream } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { makePrivateDirectory } from '../../../host/files/private-directory.ts'
import { writeAll } from '../../../host/files/write-all.ts'
import type { StateInput } from '../../../qemu/qemu-instance.ts'
import type { StateFile } from '../../../qemu/state/state-file.ts'
import { beginPart, encodePage, finishPart, type MemoryPage } from '../../../qemu/state/state-records.ts'
import { type StateStreamListener, StateStreamReader } from '../../../qemu/state/state-stream.ts'
import { MemoryImage } from './memory-image.ts'

/** Guest memory: a file, and the states whose pages are loaded over it, the oldest first. */
export interface MemoryOrigin {
  /** Path of a memory file. @default none: the memory is empty */
  readonly base: string | undefined
  readonly layers: readonly StateFile[]
}

/** Amount of data that is buffered before it is written, bytes. */
const FLUSH_BYTES = 1 << 20

/** Receives the pages of guest memory while a state is written. */
export interface PageReceiver {
  /** Called before the first page, with the name and the size (bytes) of the block of guest memory. */
  begin?(block: string, size: number): void
  /** Returns whether the receiver already has the page, so that the state is stored without it. */
  has(page: MemoryPage): boolean
  /** Called before the buffers of the pages so far become invalid. */
  flush?(): void
}

/**
 * Writes the stream that QEMU sends, without the pages that are unchanged since `origin`.
 *
 * @throws UnknownStateError `MACHINE_UNSAVABLE` when the memory has unknown records
 */
export async function writeStateFile(stream: Readable, path: string, origin: MemoryOrigin): Promise<StateFile> {
  using memory = new MemoryImage(origin)
  return await writeState(stream, path, memory)
}

/** Same as {@link writeStateFile}, but without the pages that `receiver` already has. */
export async function writeState(
  stream: AsyncIterable<Buffer>,
  path: string,
  receiver: PageReceiver,
): Promise<StateFile> {
  const writer = new StateWriter(receiver)
  const file = await open(path, 'w', 0o600)
  try {
    const reader = new StateStreamReader(writer)
    for await (const chunk of stream) {
      reader.push(chunk)
      receiver.flush?.()
      if (writer.pendingBytes > FLUSH_BYTES) await writeAll(file, writer.take())
    }
    reader.end()
    await writeAll(file, writer.take())
  } finally {
    await file.close()
  }
  return { path, headBytes: writer.headBytes, pagesBytes: writer.pagesBytes, isWhole: writer.headBytes === 0 }
}

class StateWriter implements StateStreamListener {
  headBytes = 0
  pagesBytes = 0
  pendingBytes = 0
  readonly #receiver: PageReceiver
  #pending: Buffer[] = []
  #head: Buffer = Buffer.alloc(0)
  /** Name of the largest block, which is the main memory. */
  #main = ''
  /** Pages of other blocks, such as ROMs. They are stored with each state. */
  readonly #others: Buffer[] = []
  readonly #commands: Buffer[] = []
  #lastOther = ''
  #isPastMemory = false

  constructor(receiver: PageReceiver) {
    this.#receiver = receiver
  }

  head(bytes: Buffer, blocks: ReadonlyMap<string, number>): void {
    this.#head = Buffer.from(bytes)
    const [main = '', size = 0] = [...blocks].toSorted(([, a], [, b]) => b - a)[0] ?? []
    this.#main = main
    this.#receiver.begin?.(main, size)
    this.headBytes = this.#add(Buffer.concat([this.#head, beginPart(this.#head)]))
  }

  page(page: MemoryPage): void {
    if (page.block !== this.#main) {
      this.#others.push(encodePage(page, page.block === this.#lastOther))
      this.#lastOther = page.block
    } else if (!this.#receiver.has(page)) {
      this.pagesBytes += this.#add(encodePage(page, this.pagesBytes > 0))
    }
  }

  command(bytes: Buffer): void {
    this.#commands.push(Buffer.from(bytes))
  }

  tail(bytes: Buffer): void {
    if (!this.#isPastMemory) {
      this.#isPastMemory = true
      if (this.headBytes > 0)
        for (const part of [...this.#others, finishPart(this.#head), ...this.#commands]) this.#add(part)
    }
    this.#add(Buffer.from(bytes))
  }

  /** Returns the buffered data to write, and empties the buffer. */
  take(): Buffer[] {
    const pending = this.#pending
    this.#pending = []
    this.pendingBytes = 0
    return pending
  }

  #add(bytes: Buffer): number {
    this.#pending.push(bytes)
    this.pendingBytes += bytes.length
    return bytes.length
  }
}

/**
 * Runs `work` with an input from which QEMU can load the state, including the pages of the layers below. The input is a
 * file, because QEMU reads a socket several times slower.
 * @param fd open descriptor of the state's file
 * @param layers the states before it, the oldest first
 */
export async function withStateInput<T>(
  { state, fd, layers }: { readonly state: StateFile; readonly fd: number; readonly layers: readonly StateFile[] },
  work: (input: StateInput) => Promise<T>,
): Promise<T> {
  if (state.isWhole || layers.length === 0) return work({ memory: 'in-stream', source: fd })
  const directory = await makePrivateDirectory()
  try {
    const path = join(directory.path, 'state')
    await writeFile(path, composedState(state, layers), { mode: 0o600 })
    await using file = await open(path)
    return await work({ memory: 'in-stream', source: file.fd })
  } finally {
    await directory.remove()
  }
}

/** Generates one migration stream from a state and the pages of the states before it. */
export async function* composedState(state: StateFile, layers: readonly StateFile[]): AsyncGenerator<Buffer> {
  const { path, headBytes } = state
  yield* piece(path, 0, headBytes)
  for (const layer of layers) yield* piece(layer.path, layer.headBytes, layer.headBytes + layer.pagesBytes)
  yield* piece(path, headBytes, Infinity)
}

async function* piece(path: string, start: number, end: number): AsyncGenerator<Buffer> {
  if (end <= start) return
  yield* createReadStream(path, { start, end: end - 1, highWaterMark: FLUSH_BYTES }) as AsyncIterable<Buffer>
}
