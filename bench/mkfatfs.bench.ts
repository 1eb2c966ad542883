/**
 * Compares the creation of a FAT image by mkfatfs-wasm with mkfs.fat and mcopy. Also measures how long mkfatfs-wasm takes to load.
 * Run after a build: node bench/mkfatfs.bench.ts [--rounds 9] [--only deep]. `--only` runs the comparisons whose title has the word
 */
import { execFile } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { mkfatfs } from 'mkfatfs-wasm'
import { bundlePackages } from '../scripts/bundle.mjs'
import { copyAll } from './copy-all.mjs'
import { benchOptions } from './options.ts'
import { sideBySide } from './side-by-side.ts'

// The published command, which is one file.
const bundle = fileURLToPath(new URL('../packages/mkfatfs-wasm/bundle', import.meta.url))
const command = join(bundle, 'cli.js')
const copyCommand = fileURLToPath(new URL('./copy-all.mjs', import.meta.url))
const run = promisify(execFile)
const { rounds, only } = benchOptions({ rounds: 9, only: '' })
const folder = mkdtempSync(join(tmpdir(), 'mkfatfs-bench-'))

await bundlePackages([join(bundle, '..')])
try {
  await compareLoading('loading')
  await compare('1 file of 1 GiB', oneLargeFile)
  // Short names (8.3), because mcopy takes more than ten minutes for 10,000 files with longer ones.
  await compare('10,000 files of 4 KiB in one directory', manyFiles)
  await compare('2,000 files in a deep tree', deepTree)
} finally {
  rmSync(folder, { recursive: true })
}

async function compare(title: string, make: (directory: string) => Promise<void> | void): Promise<void> {
  if (!title.includes(only)) return
  const source = join(folder, 'source')
  mkdirSync(source)
  await make(source)
  const image = join(folder, 'disk.img')
  const { size } = await mkfatfs(source, image)
  // mkfs.fat needs a size in advance. The spare space costs nothing in a sparse file.
  const bytes = size + 2 ** 26
  const contenders = [
    {
      name: 'mkfs.fat and mcopy',
      make: async () => {
        writeFileSync(image, '')
        truncateSync(image, bytes)
        await run('mkfs.fat', [image])
        const entries = readdirSync(source).map((name) => join(source, name))
        await run('mcopy', ['-s', '-m', '-i', image, ...entries, '::/'])
      },
    },
    { name: 'mkfatfs()', make: async () => void (await mkfatfs(source, image)) },
    {
      name: 'the command mkfatfs-wasm',
      make: async () => void (await run(process.execPath, [command, source, image])),
    },
    { name: 'a copy by Node, no image', make: async () => copyAll(source, image) },
    {
      name: 'the same, as a command',
      make: async () => void (await run(process.execPath, [copyCommand, source, image])),
    },
  ]
  // Removes the previous image before the measurement.
  const fresh = contenders.map(({ name, make }) => ({
    name,
    async run() {
      rmSync(image, { force: true })
      const begun = performance.now()
      await make()
      return performance.now() - begun
    },
  }))
  await sideBySide(title, fresh, { rounds, warmup: 1 })
  rmSync(source, { recursive: true })
}

/** Compares Node alone with Node that loads the maker or the reader. */
async function compareLoading(title: string): Promise<void> {
  if (!title.includes(only)) return
  const index = JSON.stringify(pathToFileURL(join(bundle, 'index.js')))
  const programs = {
    'Node alone': '',
    'the maker': `await import(${index})`,
    'the maker, and an empty image': `const { mkfatfs } = await import(${index}); await mkfatfs({ files: {} })`,
  }
  const contenders = Object.entries(programs).map(([name, program]) => ({
    name,
    async run() {
      const begun = performance.now()
      await run(process.execPath, ['--input-type=module', '-e', program])
      return performance.now() - begun
    },
  }))
  await sideBySide(title, contenders, { rounds, warmup: 1 })
}

async function oneLargeFile(directory: string): Promise<void> {
  await using file = await open(join(directory, 'large.bin'), 'w')
  const chunk = Buffer.alloc(2 ** 20)
  for (let written = 0; written < 2 ** 30; written += chunk.length) await file.write(randomFillSync(chunk))
}

function manyFiles(directory: string): void {
  mkdirSync(join(directory, 'files'))
  for (let index = 0; index < 10_000; index++) {
    writeFileSync(
      join(directory, 'files', `f${String(index).padStart(5, '0')}.dat`),
      randomFillSync(Buffer.alloc(4096)),
    )
  }
}

function deepTree(directory: string): void {
  for (let index = 0; index < 2000; index++) {
    const branches = Array.from(
      { length: 1 + (index % 20) },
      (_, level) => `level${level}-${level < 6 ? (index >> level) & 1 : 0}`,
    )
    const parent = join(directory, ...branches)
    mkdirSync(parent, { recursive: true })
    writeFileSync(join(parent, `file ${index}.txt`), randomFillSync(Buffer.alloc(1000 + (index % 5000))))
  }
}
