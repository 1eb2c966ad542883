/** Completes the files of machines whose worker was killed: a reporter, since it lives in the process that outlives it. */
import { join } from 'node:path'
import { finishAbandoned, type ResolvedArtifacts } from '@coldboot/report'
import type { Vitest } from 'vitest/node'
import { HOME } from './attempt.ts'

const watched = new WeakSet<Vitest>()

/** Once for each Vitest. The reporter comes before all others: they see the files complete. */
export function completeAbandoned(vitest: Vitest, { maxBytes }: ResolvedArtifacts): void {
  if (watched.has(vitest)) return
  watched.add(vitest)
  vitest.config.reporters.unshift({
    onTestRunEnd() {
      for (const { config } of vitest.projects) finishAbandoned(join(config.root, HOME, 'coldboot'), { maxBytes })
    },
  })
}
