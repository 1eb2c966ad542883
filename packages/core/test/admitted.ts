/** Process that holds the only admission in a queue until it is killed. */
import { admit } from '../src/host/machines/admission.ts'

const [, , directory] = process.argv
await admit({ memoryMib: 256, limits: { maxMachines: 1, memoryMib: 1024 }, directory })
console.log('in')
setInterval(() => {}, 2 ** 30)
