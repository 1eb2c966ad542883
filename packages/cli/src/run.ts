#!/usr/bin/env node
/** The command `coldboot`. */
import { runCommandLine } from './run-command-line.ts'

const { argv, stdout, stderr } = process
// `coldboot templates | head` closes the pipe early.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})
process.exitCode = await runCommandLine(argv.slice(2), { stdout, stderr })
