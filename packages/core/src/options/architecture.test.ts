import { expect, test } from 'vitest'
import { isArchitecture } from './architecture.ts'
import { checkTable } from './checked-options.ts'

test.each([
  ['arm64', 'aarch64'],
  ['amd64', 'x86_64'],
  ['aarch', 'aarch64'],
])('suggests for the architecture %s the name %s', (arch, meant) => {
  expect(() => checkTable('', { arch }, { arch: isArchitecture })).toThrow(
    `\`arch\` must be one of x86_64, i386, aarch64, arm, riscv64, ppc64, s390x, but is "${arch}"; did you mean \`${meant}\`?`,
  )
})
