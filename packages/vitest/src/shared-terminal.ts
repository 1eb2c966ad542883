/**
 * Lends the terminal to a worker that debugs a test. Meanwhile the main process buffers its output and does not read keys.
 * One worker at a time; the loan ends with the connection, also if the worker crashes.
 */
import type { Socket } from 'node:net'
import { listenPrivately } from '@coldboot/runner/private-socket'
import type { Vitest } from 'vitest/node'
import type {} from './augmentation.ts'

const shared = new WeakMap<Vitest, string>()

/** Lets the workers of a project borrow the terminal, if the run has one. */
export function shareTerminal(vitest: Vitest, project: Vitest['projects'][number]): void {
  if (!process.stdout.isTTY) return
  const path = shared.get(vitest) ?? listen(vitest)
  shared.set(vitest, path)
  project.provide('coldbootTerminal', path)
}

/** @returns path of a socket; a client owns the terminal from the first byte it receives to the end of the connection */
function listen(vitest: Vitest): string {
  let last: Promise<unknown> = Promise.resolve()
  const { path, close } = listenPrivately((socket) => {
    last = last.then(() => lend(socket))
  })
  vitest.onClose(close)
  return path
}

function lend(socket: Socket): Promise<void> {
  const { stdin, stdout, stderr } = process
  const { promise, resolve } = Promise.withResolvers<void>()
  // In watch mode, Vitest reads keys as commands.
  const readsKeys = stdin.readableFlowing === true
  if (readsKeys) stdin.pause()
  for (const stream of [stdout, stderr]) stream.cork()
  socket.on('error', () => {})
  socket.on('close', () => {
    for (const stream of [stdout, stderr]) stream.uncork()
    if (readsKeys) stdin.resume()
    resolve()
  })
  socket.resume().write('!')
  return promise
}
