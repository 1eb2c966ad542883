import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type InitOptions, initFiles } from './init-script.ts'

const PLAIN: InitOptions = { modules: [], findDrivers: '', init: '' }
function textOf(path: string, options: Partial<InitOptions> = {}): string {
  return initFiles({ ...PLAIN, ...options }).find((file) => file.path === path)?.text ?? ''
}
// Throws if the shell cannot parse it.
const parse = (script: string): string => execFileSync('sh', ['-n'], { input: script, encoding: 'utf8' })

test('the same options give the same files', () => {
  const options = { modules: ['9p'], findDrivers: 'modules=x\n', init: 'echo hi' }
  expect(initFiles(options)).toEqual(initFiles(options))
})

describe('the boot script', () => {
  test('is one that a shell can read, with and without each of its parts', () => {
    expect(parse(textOf('etc/coldboot/boot'))).toBe('')
    const all = { modules: ['9p', 'vfat'], findDrivers: 'modules="$modules x"\n', init: 'echo "it\'s up"' }
    expect(parse(textOf('etc/coldboot/boot', all))).toBe('')
  })

  test('loads the modules asked for in one go', () => {
    expect(textOf('etc/coldboot/boot', { modules: ['9p', 'vfat'] })).toContain('modules="9p vfat"')
    expect(textOf('etc/coldboot/boot')).not.toContain('modprobe -a')
  })

  test('runs the lines of `init` from a file, so that nothing in them can break out', () => {
    const init = 'echo \'"$(reboot)`\n'
    expect(textOf('etc/coldboot/boot', { init })).not.toContain('reboot)')
    expect(textOf('etc/coldboot/init', { init })).toBe(init)
  })

  test('ends the lines of `init` with a line end', () => {
    expect(textOf('etc/coldboot/init', { init: 'echo hi' })).toBe('echo hi\n')
  })
})

describe('the profile', () => {
  test('is one that a shell can read', () => {
    expect(parse(textOf('etc/profile'))).toBe('')
  })

  test('makes the prompt from text that a trace of it does not have', () => {
    const profile = textOf('etc/profile')
    expect(profile).toContain('coldboot\\043 ')
    expect(profile).not.toContain('coldboot# ')
  })
})
