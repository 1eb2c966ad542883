import { dirname } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { SampleProject, samplePicture } from '../../test/sample-run.ts'
import { junitOutput } from './junit-output.ts'

test('attaches files relative to the checkout, screenshots first, and contains the end of each console', () => {
  const project = new SampleProject()
  onTestFinished(() => project[Symbol.dispose]())
  const lines = Array.from({ length: 50 }, (_, index) => `line ${index + 1}\r\n`).join('')
  const server = project.machine('t/server', { 'console.log': lines, 'screen.png': samplePicture(), 'meta.json': '{}' })
  const silent = project.machine('t/silent', { 'console.log': '' })
  const { systemOut, systemErr } = junitOutput([server, silent], dirname(project.root))
  const base = project.root.slice(dirname(project.root).length + 1)
  expect(systemOut).toBe(
    ['server/screen.png', 'server/console.log', 'silent/console.log']
      .map((file) => `[[ATTACHMENT|${base}/.vitest/coldboot/t/${file}]]\n`)
      .join(''),
  )
  expect(systemErr).toMatch(
    /^End of the console of "server":\nline 11\n[\s\S]*\nline 50\n\nEnd of the console of "silent":\n\(nothing was printed\)\n$/,
  )
})

test('lists a machine without files', () => {
  expect(junitOutput(['/nowhere/vm'], '/')).toEqual({
    systemOut: '',
    systemErr: 'End of the console of "vm":\n(nothing was printed)\n',
  })
})
