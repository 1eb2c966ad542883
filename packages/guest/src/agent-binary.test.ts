import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Architecture } from '@coldboot/core'
import { ARCHITECTURES } from '@coldboot/core/internal'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AGENT } from '../agent/build.mjs'
import { buildProgram, compilerVersion, sourceDigest } from '../agent/static-program.mjs'
import { readAgent } from './agent-binary.ts'

interface Manifest {
  readonly source: string
  readonly built: Readonly<Record<string, { readonly sha256: string; readonly compiler: string }>>
}

const manifest = JSON.parse(readFileSync(new URL('../agent/bin/manifest.json', import.meta.url), 'utf8')) as Manifest

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

test('the agent binaries were built from the current source', () => {
  expect(manifest.source).toBe(sourceDigest(AGENT))
})

describe.each(Object.keys(ARCHITECTURES) as Architecture[])('the agent for %s', (arch) => {
  test('is small, static, and has the hash in the manifest', async () => {
    const agent = Buffer.from(await readAgent(arch))
    expect(sha256(agent)).toBe(manifest.built[arch]?.sha256)
    expect(agent.length).toBeLessThan(12_000)
    expect(agent.includes('ld-linux')).toBe(false)
  })

  test('equals a new build of its source', async ({ skip }) => {
    const { compiler = '' } = AGENT.targets[arch] ?? {}
    const version = compilerVersion(compiler)
    const wanted = manifest.built[arch]?.compiler
    skip(version === undefined, `${compiler} is not installed: see agent/build.mjs`)
    skip(version !== wanted, `the agent was built with ${wanted}, and here is ${version}`)
    const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    buildProgram(AGENT, arch, join(folder, 'agent'))
    expect(sha256(readFileSync(join(folder, 'agent')))).toBe(manifest.built[arch]?.sha256)
  })
})
