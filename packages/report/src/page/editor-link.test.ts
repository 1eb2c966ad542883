import { expect, test } from 'vitest'
import { editorLink, linkTo } from './editor-link.ts'

const choice = { asked: undefined, launched: undefined, isRemote: false }

test('COLDBOOT_EDITOR overrides LAUNCH_EDITOR, and VS Code is the default', () => {
  expect(editorLink(choice)).toMatch(/^vscode:/)
  expect(editorLink({ ...choice, launched: '/opt/bin/webstorm.sh' })).toMatch(/^webstorm:/)
  expect(editorLink({ ...choice, launched: 'vim' })).toMatch(/^vscode:/)
  expect(editorLink({ ...choice, launched: 'cursor', asked: 'zed' })).toMatch(/^zed:/)
  expect(editorLink({ ...choice, asked: 'none' })).toBeUndefined()
})

test('a page that is read on another host has links only if COLDBOOT_EDITOR is set', () => {
  expect(editorLink({ ...choice, launched: 'code', isRemote: true })).toBeUndefined()
  expect(editorLink({ ...choice, asked: 'code', isRemote: true })).toMatch(/^vscode:/)
})

test('a custom link must contain {file}', () => {
  expect(editorLink({ ...choice, asked: 'my-editor:{file}?{line}' })).toBe('my-editor:{file}?{line}')
  for (const asked of ['emacs', 'javascript:{file}', 'data:{file}', 'toString', 'my-editor:x']) {
    expect(() => editorLink({ ...choice, asked })).toThrow(`COLDBOOT_EDITOR is "${asked}"`)
  }
})

test('a path cannot add parameters or markup to a link', () => {
  const template = editorLink({ ...choice, asked: 'idea' }) ?? ''
  expect(linkTo(template, '/a b/"<&line=1+{line}$&.ts', 7, 3)).toBe(
    'idea://open?file=/a%20b/%22%3C%26line%3D1%2B%7Bline%7D$%26.ts&line=7&column=3',
  )
})
