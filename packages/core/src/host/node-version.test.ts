import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { OLDEST_NODE, requireNode } from './node-version.ts'

test.each(['20.20.2', '22.11.9', '18.0.0'])('Node %s is refused with the version that is needed', (version) => {
  expect(() => requireNode(version)).toThrow(
    expect.objectContaining({
      code: 'NODE_TOO_OLD',
      shortMessage: `This is Node ${version}, and coldboot needs 22.12 or newer`,
    }),
  )
})

test.each(['22.12.0', '22.13.1', '23.0.0', '24.1.0', '26.0.0-nightly'])('Node %s is accepted', (version) => {
  expect(() => requireNode(version)).not.toThrow()
})

test('the version is the one that the package states', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(manifest).toMatchObject({ engines: { node: `>=${OLDEST_NODE}` } })
})
