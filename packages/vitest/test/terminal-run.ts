/** Runs a test runner in a pseudo-terminal, with `script` of util-linux. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A test run in a terminal. */
export interface TerminalRun {
  /** Resolves when the text appears after the previously awaited text; rejects if the run ends without it. */
  shows(text: string): Promise<void>
  type(keys: string): void
  /** The output so far. */
  screen(): string
  /** The whole output and the exit code. */
  readonly ended: Promise<{ readonly screen: string; readonly exitCode: number | null }>
}

const VITEST = 'node_modules/vitest/vitest.mjs'

/** @param args arguments of the runner, without spaces @param runner its script @default that of Vitest */
export function runInTerminal(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  runner = VITEST,
): TerminalRun {
  const { CI: _, GITHUB_ACTIONS: __, ...inherited } = process.env
  const others = Object.fromEntries(
    Object.entries(inherited).filter(([name]) => !/^(VITEST|COLDBOOT_PROGRESS|NODE_OPTIONS$|TEST$)/.test(name)),
  )
  const command = 'stty cols 120 rows 40; exec "$COLDBOOT_TEST_NODE" $COLDBOOT_TEST_ARGS'
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    cwd: root,
    env: {
      ...others,
      NO_COLOR: '1',
      TERM: 'xterm',
      SHELL: '/bin/sh',
      COLDBOOT_TEST_NODE: process.execPath,
      COLDBOOT_TEST_ARGS: [runner, ...args].join(' '),
      ...env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let screen = ''
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
  })
  const ended = once(child, 'close').then(([exitCode]: unknown[]) => ({ screen, exitCode: exitCode as number | null }))
  return {
    ended,
    screen: () => screen,
    type: (keys) => void child.stdin.write(keys),
    async shows(text) {
      const end = ended.then(() => Promise.reject(new Error(`The run ended without "${text}":\n${screen}`)))
      end.catch(() => {})
      while (!screen.includes(text, seen)) await Promise.race([once(child.stdout, 'data'), end])
      seen = screen.indexOf(text, seen) + text.length
    },
  }
}
