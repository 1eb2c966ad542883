#!/usr/bin/env node
/** Entry point of the command `coldboot`. */
const { argv, stdout, stderr } = process
const args = argv.slice(2)
const isArchive = args
  .filter((arg) => !arg.startsWith('-'))
  .join(' ')
  .startsWith('templates export')
stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `coldboot templates | head` closes the pipe early. An archive must be complete.
  if (error.code === 'EPIPE' && !isArchive) process.exit(0)
  stderr.write(`coldboot: The output could not be written: ${error.message}\n`)
  process.exit(1)
})
try {
  // Loaded here to catch the error that is thrown by the import on an old version of Node.
  const { runCommandLine } = await import('./run-command-line.ts')
  process.exitCode = await runCommandLine(args, { stdout, stderr })
} catch (error) {
  if (!(error instanceof Error && 'code' in error && error.code === 'NODE_TOO_OLD')) throw error
  stderr.write(`coldboot: ${error.message}\n`)
  process.exitCode = 1
}
