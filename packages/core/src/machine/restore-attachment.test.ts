import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { resolveOptions } from '../spec/machine-spec.ts'
import { attachScript, detachScript } from './restore-attachment.ts'

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

test('attaches what was detached before the first device that is in use', () => {
  const devices = ['echo one', 'echo two', 'echo busy >&2; exit 32', 'echo four'].map((detach, index) => ({
    name: 'part',
    qemuArgs: () => [],
    attachAfterRestore: { attach: () => `echo attached ${index}; echo noise >&2`, detach: () => detach },
  }))
  const spec = { ...resolveOptions({ kernel: process.execPath, devices }), attachesAfterRestore: true }
  expect(spawnSync('sh', ['-c', detachScript(spec)], { encoding: 'utf8' })).toMatchObject({
    status: 32,
    stdout: 'one\ntwo\nattached 0\nattached 1\n',
    stderr: 'busy\n',
  })
})
