/**
 * Terminal on the console of a machine: the visible text, rendered by `@xterm/headless`, which is loaded at the first
 * use. With the option `terminal` of the machine, it also answers queries of programs.
 */
import type { Terminal as XTerm } from '@xterm/headless'
import { ColdbootError, OptionError } from '../../errors.ts'
import { keySequence } from './key-sequence.ts'

/** Size of a terminal. */
export interface TerminalOptions {
  /** Characters per line. @default 80 */
  readonly columns?: number
  /** Number of lines. @default 24 */
  readonly lines?: number
}

/** Position of the cursor. Columns and lines count from 0. */
export interface TerminalCursor {
  readonly line: number
  readonly column: number
}

/** The terminal on the console of a machine. */
export interface ConsoleTerminal {
  /** The visible lines, without trailing blanks and without empty lines at the end. */
  text(): Promise<string>
  /** One line; the first has index 0. @throws OptionError `INVALID_OPTION` outside of the terminal */
  line(index: number): Promise<string>
  /** Position of the cursor. */
  cursor(): Promise<TerminalCursor>
  /**
   * Types a key: `enter`, `tab`, `ArrowDown`, `F2`, `ctrl-c`, `alt-x`, or a character. `vm.send` types text.
   * @throws OptionError `INVALID_OPTION` for an unknown key; MachineError `MACHINE_EXITED`
   */
  press(key: string): Promise<void>
}

/** The part of a console that its terminal needs. */
export interface TerminalSource {
  /** Raw output so far. */
  raw(): string
  watch(watcher: (chunk: Uint8Array) => number): Disposable
  /** @param isAnswer true for an answer to a query, false for input of the test */
  send(data: string, isAnswer?: boolean): void
}

const DEFAULT_SIZE = { columns: 80, lines: 24 }

/** The terminal of one console. */
export class TerminalOnConsole implements ConsoleTerminal {
  readonly #source: TerminalSource
  readonly #options: TerminalOptions
  #terminal: Promise<XTerm> | undefined
  /** Resolves when all output so far was processed. */
  #written: Promise<void> = Promise.resolve()

  /** @param options if set, the terminal is loaded at once and answers queries */
  constructor(source: TerminalSource, options: TerminalOptions | undefined) {
    this.#source = source
    this.#options = options ?? {}
    if (options !== undefined) void this.#start(true)
  }

  async text(): Promise<string> {
    const terminal = await this.#shown()
    const lines = Array.from({ length: terminal.rows }, (_, index) => lineOf(terminal, index))
    return lines.join('\n').replace(/\n+$/, '')
  }

  async line(index: number): Promise<string> {
    const terminal = await this.#shown()
    if (Number.isInteger(index) && index >= 0 && index < terminal.rows) return lineOf(terminal, index)
    throw new OptionError('INVALID_OPTION', `line: the terminal has the lines 0 to ${terminal.rows - 1}, not ${index}`)
  }

  async cursor(): Promise<TerminalCursor> {
    const { cursorX: column, cursorY: line } = (await this.#shown()).buffer.active
    return { line, column }
  }

  async press(key: string): Promise<void> {
    const { modes } = await this.#shown()
    this.#source.send(keySequence(key, modes.applicationCursorKeysMode))
  }

  async #shown(): Promise<XTerm> {
    const terminal = await this.#start(false)
    await this.#written
    return terminal
  }

  #start(answers: boolean): Promise<XTerm> {
    if (this.#terminal !== undefined) return this.#terminal
    // Writes the earlier output to the terminal first. Queries in it are not answered again.
    const loaded = load(this.#options)
    const earlier = this.#source.raw()
    const write = (data: string | Uint8Array): void => {
      this.#written = Promise.all([loaded, this.#written]).then(
        ([terminal]) => new Promise<void>((resolve) => terminal.write(data, resolve)),
      )
    }
    write(earlier)
    if (answers) {
      const recalled = this.#written
      void Promise.all([loaded, recalled]).then(([terminal]) => terminal.onData((data) => this.#answer(data)))
    }
    this.#source.watch((chunk) => {
      write(chunk.slice())
      return 0
    })
    this.#terminal = loaded
    return loaded
  }

  #answer(data: string): void {
    try {
      this.#source.send(data, true)
    } catch (error) {
      if (!ColdbootError.is(error) || error.code !== 'MACHINE_EXITED') throw error
    }
  }
}

async function load({ columns = DEFAULT_SIZE.columns, lines = DEFAULT_SIZE.lines }: TerminalOptions): Promise<XTerm> {
  const { default: xterm } = await import('@xterm/headless')
  return new xterm.Terminal({ cols: columns, rows: lines, scrollback: 0, allowProposedApi: true })
}

function lineOf({ buffer }: XTerm, index: number): string {
  const { active } = buffer
  return active.getLine(active.baseY + index)?.translateToString(true) ?? ''
}
