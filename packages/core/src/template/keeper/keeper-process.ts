/**
 * Process of the keeper: `node keeper-process.js <socket>`. Prints a line when it listens. Ends all machines and exits when its
 * standard input ends, because the main process of the run has ended then, even by SIGKILL.
 */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { PoolKeeper } from './pool-keeper.ts'

const [, , path = ''] = process.argv
const keeper = await PoolKeeper.listen(path)
const end = async (): Promise<void> => {
  await keeper.end()
  // Also if the main process was killed before it could remove it.
  rmSync(dirname(path), { recursive: true, force: true })
  process.exit()
}
process.stdin.resume().once('close', () => void end())
// The terminal sends it to the whole run. The main process decides about the end.
process.on('SIGINT', () => {})
process.once('SIGTERM', () => void end())
process.stdout.write('listening\n')
