/** Completes the files of machines whose worker was killed. A reporter, because it runs in the main process. */
import { join } from 'node:path'
import { finishAbandoned, type ResolvedArtifacts } from '@coldboot/report'
import type { Vitest } from 'vitest/node'
import { HOME } from './attempt.ts'

const watched = new WeakSet<Vitest>()

/** Adds the reporter once per Vitest, before all others, so that they see complete files. */
export function completeAbandoned(vitest: Vitest, { maxBytes }: ResolvedArtifacts): void {
  if (watched.has(vitest)) return
  watched.add(vitest)
  vitest.config.reporters.unshift({
    onTestRunEnd() {
      for (const { config } of vitest.projects) finishAbandoned(join(config.root, HOME, 'coldboot'), { maxBytes })
    },
  })
}
