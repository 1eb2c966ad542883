/** Where the keeper of a run is: its program, and its socket. */
import { fileURLToPath } from 'node:url'

/** Name of the keeper's socket, beside the one of the main process that starts the keeper. */
export const KEEPER_SOCKET = 'keeper'

/** Path of the program of the keeper. Its argument is the path of the socket to listen on. */
export function keeperScript(): string {
  return fileURLToPath(new URL('./keeper-process.js', import.meta.url))
}
