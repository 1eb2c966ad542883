#!/usr/bin/env node
/** Entry point of the command `mkfatfs-wasm`. */
import { runCommandLine } from './command-line/run-command-line.ts'

const { argv, stdout, stderr } = process
// A closed pipe is not a failure, for example in `mkfatfs-wasm --list disk.img | head`.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  stderr.write(`mkfatfs-wasm: The output could not be written: ${error.message}\n`)
  process.exit(1)
})
process.exitCode = await runCommandLine(argv.slice(2), { stdout, stderr })
