/**
 * Process of the keeper: `node keeper-process.js <socket>`. Prints a line when it listens. Its standard input ends with
 * the main process of the run, even after SIGKILL. The keeper then ends all machines and exits.
 */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { PoolKeeper } from './pool-keeper.ts'

const [, , path = ''] = process.argv
const keeper = await PoolKeeper.listen(path)
const end = async (): Promise<void> => {
  await keeper.end()
  // Removed here too, because the main process may have been killed.
  rmSync(dirname(path), { recursive: true, force: true })
  process.exit()
}
process.stdin.resume().once('close', () => void end())
// Ctrl-C sends SIGINT to all processes of the run, but the main process decides when the keeper ends.
process.on('SIGINT', () => {})
process.once('SIGTERM', () => void end())
process.stdout.write('listening\n')
