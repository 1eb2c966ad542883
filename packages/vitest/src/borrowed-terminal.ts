/** Borrows the terminal of the main process; see `shared-terminal.ts`. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { inject } from 'vitest'
import type {} from './augmentation.ts'

/** Runs a session during which Vitest does not use the terminal. */
export async function borrowTerminal(session: () => Promise<void>): Promise<void> {
  const path: string | undefined = inject('coldbootTerminal')
  if (path === undefined) return session()
  const socket = connect(path)
  try {
    await once(socket, 'data')
    await session()
  } finally {
    socket.destroy()
  }
}
