/** Runs commands in a guest's shell on its serial console, for tests that are about something else. */
import type { VM } from '../src/vm.ts'

/** What a command did. */
export interface GuestResult {
  readonly exitCode: number
  /** Both outputs. */
  readonly output: string
}

let count = 0

/** Runs one command, or several lines; resolves when it has ended. Commands of one machine one after the other. */
export async function runInGuest(vm: VM, command: string, timeout = 60_000): Promise<GuestResult> {
  const id = ++count
  // The arithmetic keeps the echo of this line from looking like its output.
  vm.send(`echo "BEGIN$((${id}))"; { ${command}\n} 2>&1; echo "END$((${id}))=$?"\n`)
  await vm.expect(`BEGIN${id}\n`, { timeout })
  const { before, groups } = await vm.expect(new RegExp(`END${id}=(?<status>\\d+)\n`), { timeout })
  // The shell echoes and prompts for each line of the command.
  const output = before.replaceAll(/^(?:> |coldboot# ).*\n/gm, '')
  return { exitCode: Number(groups?.['status']), output }
}

/** As {@link runInGuest}. @returns the output @throws when the command fails, with its output */
export async function succeedInGuest(vm: VM, command: string, timeout?: number): Promise<string> {
  const { exitCode, output } = await runInGuest(vm, command, timeout)
  if (exitCode !== 0) throw new Error(`${command}\nin ${vm.name} ended with ${exitCode}:\n${output}`)
  return output
}
