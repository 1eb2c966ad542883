import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type InitOptions, initFiles } from './init-script.ts'

const PLAIN: InitOptions = { modules: [], findDrivers: '', init: '' }
function textOf(path: string, options: Partial<InitOptions> = {}): string {
  return initFiles({ ...PLAIN, ...options }).find((file) => file.path === path)?.text ?? ''
}
// Throws if the shell cannot parse the script.
const parse = (script: string): string => execFileSync('sh', ['-n'], { input: script, encoding: 'utf8' })

test('returns the same files for the same options', () => {
  const options = { modules: ['9p'], findDrivers: 'modules=x\n', init: 'echo hi' }
  expect(initFiles(options)).toEqual(initFiles(options))
})

describe('the boot script', () => {
  test('is valid shell code, with and without each optional part', () => {
    expect(parse(textOf('etc/coldboot/boot'))).toBe('')
    const all = { modules: ['9p', 'vfat'], findDrivers: 'modules="$modules x"\n', init: 'echo "it\'s up"' }
    expect(parse(textOf('etc/coldboot/boot', all))).toBe('')
  })

  test('loads the requested modules with one command', () => {
    expect(textOf('etc/coldboot/boot', { modules: ['9p', 'vfat'] })).toContain('modules="9p vfat"')
    expect(textOf('etc/coldboot/boot')).not.toContain('modprobe -a')
  })

  test('runs the lines of `init` from a file, so that they cannot change the script', () => {
    const init = 'echo \'"$(reboot)`\n'
    expect(textOf('etc/coldboot/boot', { init })).not.toContain('reboot)')
    expect(textOf('etc/coldboot/init', { init })).toBe(init)
  })

  test('adds a missing newline to the lines of `init`', () => {
    expect(textOf('etc/coldboot/init', { init: 'echo hi' })).toBe('echo hi\n')
  })
})

describe('the profile', () => {
  test('is valid shell code', () => {
    expect(parse(textOf('etc/profile'))).toBe('')
  })

  test('keeps the prompt out of a trace by `set -x`', () => {
    const profile = textOf('etc/profile')
    expect(profile).toContain('coldboot\\043 ')
    expect(profile).not.toContain('coldboot# ')
  })
})
