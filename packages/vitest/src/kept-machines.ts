/** Keeps pooled machines for the whole run, because most workers run one test file. */
import { offerKeeper } from '@coldboot/runner/pool-keeper'
import type { Vitest } from 'vitest/node'
import type {} from './augmentation.ts'

const offered = new WeakMap<Vitest, string>()

/** Lets the workers of a project use the machines of the run's keeper, which ends with each run in watch mode. */
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
