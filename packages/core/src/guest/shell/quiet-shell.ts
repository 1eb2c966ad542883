/** Runs commands with the shell on the console without a trace in the log and in the events of the test. */
import type { CommandTransport } from '../command-transport.ts'
import { ConsoleShell, type ConsoleShellOptions } from './console-shell.ts'
import type { ShellConsole } from './shell-listener.ts'

/** The part of the console that a quiet shell needs. */
export interface QuietConsole extends Pick<ShellConsole, 'watch'> {
  /** Types. @param isAnswer true for input that does not come from the test */
  send(data: string | Uint8Array, isAnswer: boolean): void
  /** Buffers further output instead of writing it to the log. */
  hold(): {
    /** Continues the log. @param isKept whether to write the buffered output to it */
    end(isKept: boolean): void
  }
}

/** Creates a quiet shell. @param shell the shell that the test uses; a quiet command starts when it is idle */
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
        // If the command failed, its output may explain why, so it is written to the log.
        held.end(!isAnswered)
      }
    },
  }
}
