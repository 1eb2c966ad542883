#!/usr/bin/env node
/** Entry point of the command `coldboot`. */
const { argv, stdout, stderr } = process
// `coldboot templates | head` closes the pipe early.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})
try {
  // Loaded here to catch the error that is thrown by the import on an old version of Node.
  const { runCommandLine } = await import('./run-command-line.ts')
  process.exitCode = await runCommandLine(argv.slice(2), { stdout, stderr })
} catch (error) {
  if (!(error instanceof Error && 'code' in error && error.code === 'NODE_TOO_OLD')) throw error
  stderr.write(`coldboot: ${error.message}\n`)
  process.exitCode = 1
}
