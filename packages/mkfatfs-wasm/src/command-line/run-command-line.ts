/** Does what the arguments say, and says what was done. */
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { formatByteSize } from '../byte-size.ts'
import { MkfatfsError } from '../errors.ts'
import { mkfatfs } from '../host/mkfatfs.ts'
import { readFatImage } from '../index.ts'
import { type Command, helpText, parseCommand } from './arguments.ts'
import { ProgressBar } from './progress-bar.ts'

/** Where the command writes to. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

const WRONG_USAGE = 2
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Returns the exit code: 0; 1 when it failed; 2 when the arguments are wrong; 128 + n after signal n. */
export async function runCommandLine(args: readonly string[], streams: Streams): Promise<number> {
  const controller = new AbortController()
  let signal: (typeof SIGNALS)[number] | undefined
  // The image under way is removed, then the process ends. A second signal ends it at once.
  for (const name of SIGNALS) {
    process.once(name, () => {
      signal = name
      controller.abort()
    })
  }
  let isUnderstood = false
  try {
    const command = parseCommand(args)
    isUnderstood = true
    await run(command, streams, controller.signal)
    return 0
  } catch (error) {
    if (signal !== undefined) return 128 + constants.signals[signal]
    if (!MkfatfsError.is(error)) throw error
    streams.stderr.write(`${printable(`mkfatfs-wasm: ${error.message} [${error.code}]`)}\n`)
    return isUnderstood ? 1 : WRONG_USAGE
  }
}

async function run(command: Command, { stdout, stderr }: Streams, signal: AbortSignal): Promise<void> {
  const bar = new ProgressBar(stderr)
  const watched = { signal, onProgress: bar.update.bind(bar) }
  try {
    switch (command.kind) {
      case 'help':
        stdout.write(await helpText())
        return
      case 'version':
        stdout.write(`${version()}\n`)
        return
      case 'make': {
        const made = await mkfatfs(command.directory, command.image, { ...command.options, ...watched })
        bar.stop()
        const { type, size, files, directories } = made
        stdout.write(
          `${printable(command.image)}: ${type.toUpperCase()}, ${formatByteSize(size)}, ${files} files, ${directories} directories\n`,
        )
        return
      }
      case 'list': {
        await using image = await readFatImage(command.image)
        for (const { path, kind, size, modified } of await image.list()) {
          const time = modified?.toISOString().slice(0, 19).replace('T', ' ') ?? '-'
          stdout.write(
            `${String(size).padStart(10)}  ${time.padEnd(19)}  ${printable(path)}${kind === 'directory' ? '/' : ''}\n`,
          )
        }
        return
      }
      case 'extract': {
        await using image = await readFatImage(command.image)
        await image.extract(command.directory, watched)
      }
    }
  } finally {
    bar.stop()
  }
}

function version(): string {
  const own: unknown = createRequire(import.meta.url)('mkfatfs-wasm/package.json')
  return typeof own === 'object' && own !== null && 'version' in own ? String(own.version) : 'unknown'
}

/** Names come from anywhere: they must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, '\ufffd')
}
