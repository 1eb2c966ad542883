import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { resolveOptions } from '../spec/machine-spec.ts'
import { attachScript } from './restore-attachment.ts'

/** Runs the scripts of devices in a shell of the host. */
function run(...parts: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const devices = parts.map((part) => ({
    name: 'part',
    qemuArgs: () => [],
    attachAfterRestore: { attach: () => part },
  }))
  const spec = { ...resolveOptions({ kernel: process.execPath, devices }), attachesAfterRestore: true }
  return spawnSync('sh', ['-c', attachScript(spec)], { encoding: 'utf8' })
}

test('runs the script of each device in a separate shell', () => {
  expect(run('word=one; cd /; exit 0', 'echo "${word-none}"')).toMatchObject({ status: 0, stdout: 'none\n' })
})

test('stops at the first failing script, also at an error in the middle of it', () => {
  expect(run('echo first; exit 3', 'echo second')).toMatchObject({ status: 3, stdout: 'first\n' })
  expect(run('set -e\nfalse\necho further', 'echo second')).toMatchObject({ status: 1, stdout: '' })
})
