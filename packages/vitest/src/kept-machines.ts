/** Keeps pooled machines in a separate process for the whole run, because most workers run only one test file. */
import { offerKeeper } from '@coldboot/runner/pool-keeper'
import type { Vitest } from 'vitest/node'
import type {} from './augmentation.ts'

const offered = new WeakMap<Vitest, string>()

/** Lets the workers of a project use the pool keeper of the run. In watch mode, the keeper ends with each run. */
export function keepMachines(vitest: Vitest, project: Vitest['projects'][number]): void {
  const path = offered.get(vitest) ?? offer(vitest)
  offered.set(vitest, path)
  project.provide('coldbootPool', path)
}

function offer(vitest: Vitest): string {
  const { path, end, close } = offerKeeper()
  vitest.config.reporters.push({ onTestRunEnd: end })
  vitest.onClose(close)
  return path
}
