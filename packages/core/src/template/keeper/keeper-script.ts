/** Paths of the program and the socket of a keeper. */
import { fileURLToPath } from 'node:url'

/** Name of the keeper's socket, in the directory with the socket of the main process. */
export const KEEPER_SOCKET = 'keeper'

/** Path of the program of the keeper. Its argument is the path of the socket to listen on. */
export function keeperScript(): string {
  return fileURLToPath(new URL('./keeper-process.js', import.meta.url))
}
