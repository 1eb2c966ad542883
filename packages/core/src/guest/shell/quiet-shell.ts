/** The shell on a console, for commands that are not part of the test: they are neither in its log nor in its events. */
import type { CommandTransport } from '../command-transport.ts'
import { ConsoleShell, type ConsoleShellOptions } from './console-shell.ts'
import type { ShellConsole } from './shell-listener.ts'

/** The console, as a quiet shell uses it. */
export interface QuietConsole extends Pick<ShellConsole, 'watch'> {
  /** @param isAnswer whether it is no input of the test */
  send(data: string | Uint8Array, isAnswer: boolean): void
  /** Holds further output back from the log. */
  hold(): {
    /** @param isKept whether the held output is written to the log */
    end(isKept: boolean): void
  }
}

/** @param shell the shell of the test, whose commands end first */
export function quietShell(
  shell: ConsoleShell,
  options: Omit<ConsoleShellOptions, 'console'> & { readonly console: QuietConsole },
): CommandTransport {
  const { console } = options
  const quiet = new ConsoleShell({
    ...options,
    console: { send: (data) => console.send(data, true), watch: (watcher) => console.watch(watcher) },
  })
  return {
    via: 'shell',
    async run(request) {
      await shell.idle
      const held = console.hold()
      let isAnswered = false
      try {
        const outcome = await quiet.run(request)
        isAnswered = outcome.exitCode !== undefined
        return outcome
      } finally {
        // Without an answer, the output may say why.
        held.end(!isAnswered)
      }
    },
  }
}
