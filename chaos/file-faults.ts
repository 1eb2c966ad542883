/** Faults of files: a full disk, a cache that is read-only, damaged or gone. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { CLOSED, type Done, type Expectation, type Fault, type FaultContext } from './fault.ts'

const FINE: Expectation = { run: 'passes', affected: 'none' }
const FILLER_BYTES = 65_536

const withoutRoot = (): string | undefined =>
  process.getuid?.() === 0 ? undefined : 'only root may mount file systems'

/** Faults by name. */
export const FILE_FAULTS = {
  'disk of artifacts full': {
    disk: { folder: 'artifacts', mib: 2 },
    missing: withoutRoot,
    act: fill('artifacts'),
    expects: { ...FINE, losesLog: true, prints: /ENOSPC/ },
  },
  'disk of TMPDIR full': {
    disk: { folder: 'temporary', mib: 4 },
    missing: withoutRoot,
    act: fill('temporary'),
    expects: { run: 'either', affected: 'all', reasons: [/ENOSPC|no space left/i] },
  },
  'disk of cache full': {
    cache: 'empty',
    disk: { folder: 'cache', mib: 128 },
    missing: withoutRoot,
    act: fill('cache'),
    // QEMU maps the memory file of a template. In a tmpfs, reading an empty page of it needs space.
    expects: { run: 'either', affected: 'all', reasons: [/SIGBUS/, CLOSED] },
  },
  'cache read-only': {
    cache: 'copy',
    missing: withoutRoot,
    act: readOnly,
    expects: { ...FINE, leavesLocks: true },
  },
  'empty cache read-only': {
    cache: 'empty',
    missing: withoutRoot,
    act: readOnly,
    expects: { ...FINE, leavesLocks: true },
  },
  'template removed': {
    cache: 'copy',
    act({ folders: { cache } }): Done {
      rmSync(join(cache, 'templates'), { recursive: true, force: true })
      return 'done'
    },
    expects: FINE,
  },
  // QEMU maps the file, so running machines end.
  'template memory cut': {
    cache: 'copy',
    act: ({ folders: { cache }, plan }) => cut(cache, 'memory', Math.floor(plan.choice * 2 ** 27)),
    expects: { run: 'either', affected: 'all', reasons: [/SIGBUS/, CLOSED] },
  },
  'template state cut': {
    cache: 'copy',
    act: ({ folders: { cache }, plan }) => cut(cache, 'state', Math.floor(plan.choice * 2 ** 16)),
    expects: FINE,
  },
} as const satisfies Record<string, Fault>

/** Fills the disk of a folder. */
function fill(folder: 'artifacts' | 'temporary' | 'cache'): Fault['act'] {
  return ({ folders }: FaultContext): Done => {
    const file = openSync(join(folders[folder], 'filler'), 'w')
    try {
      for (;;) writeSync(file, Buffer.alloc(FILLER_BYTES))
    } catch {
      // Full.
    } finally {
      closeSync(file)
    }
    return 'done'
  }
}

function readOnly({ folders: { cache } }: FaultContext): Done {
  // Root may write to files without permission, but not to a read-only mount. It replaces the cache at once, because a mount with
  // files that are open for writing cannot become read-only.
  const view = `${cache}-view`
  mkdirSync(view)
  execFileSync('mount', ['--bind', cache, view])
  execFileSync('mount', ['-o', 'remount,bind,ro', view])
  execFileSync('mount', ['--bind', view, cache])
  return 'done'
}

/** Cuts a file of each template of a cache. */
function cut(cache: string, file: string, bytes: number): Done {
  const folder = join(cache, 'templates')
  const templates = readdirSync(folder).filter((name) => /^[\da-f]{32}$/.test(name))
  for (const name of templates) truncateSync(join(folder, name, file), bytes)
  return templates.length > 0 ? 'done' : 'no victim'
}
