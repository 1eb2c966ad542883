/** Process that owns a machine, prints the pid of QEMU, and ends in the given way, or with a pooled machine. */
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { type MachineOptions, VM } from '../dist/index.js'

const [how = 'wait', options = '{}'] = isMainThread ? process.argv.slice(2) : (workerData as string[])

if (how === 'thread') {
  const worker = new Worker(new URL(import.meta.url), { workerData: ['report', options] })
  worker.once('message', (pid: number) => {
    console.log(pid)
    void worker.terminate()
  })
  setInterval(() => {}, 2 ** 30)
} else if (how === 'pooled') {
  const pooled = { ...(JSON.parse(options) as MachineOptions), pool: true }
  await (await VM.start(pooled)).close()
  // This machine comes from the pool, which then restores another one.
  const vm = await VM.start(pooled)
  console.log(vm.pid)
  await vm.close()
} else {
  const vm = await VM.boot(JSON.parse(options) as MachineOptions)
  if (isMainThread) console.log(vm.pid)
  else (await import('node:worker_threads')).parentPort?.postMessage(vm.pid)
  if (how === 'exit') process.exit(3)
  if (how === 'throw') throw new Error('as asked')
  if (how === 'close') await vm.close()
  else await vm.waitForExit()
}
