import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { runCommandLine } from './run-command-line.ts'

const NEW = 'a'.repeat(32)
const OLD = 'b'.repeat(32)
let templates: string

beforeEach(() => {
  const cache = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  vi.stubEnv('COLDBOOT_CACHE', cache)
  onTestFinished(() => {
    vi.unstubAllEnvs()
    rmSync(cache, { recursive: true, force: true })
  })
  templates = join(cache, 'templates')
})

/** Creates a template's directory with a size and an age; its content is not a real template. */
function template(key: string, daysAgo: number): void {
  const folder = join(templates, key)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'memory'), Buffer.alloc(3 << 20, 1))
  const used = Date.now() / 1000 - daysAgo * 86_400
  utimesSync(folder, used, used)
}

async function run(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', '']
  const code = await runCommandLine(args, {
    stdout: { write: (text) => void (out += text) },
    stderr: { write: (text) => void (err += text) },
  })
  return { code, out, err }
}

describe('templates', () => {
  test('lists none', async () => {
    expect(await run('templates')).toMatchObject({ code: 0, out: expect.stringMatching(/^No templates in /) as string })
  })

  test('lists each template with its last use and size, and their sum', async () => {
    template(OLD, 10)
    template(NEW, 0)
    const { code, out } = await run('templates')
    expect(code).toBe(0)
    expect(out).toMatch(
      new RegExp(`^${NEW}  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d +3\\.0 MiB\n${OLD}  .*\n2 templates, 6\\.0 MiB, in /`),
    )
  })

  test('prunes by age', async () => {
    template(OLD, 10)
    template(NEW, 0)
    expect((await run('templates', 'prune')).out).toBe('0 templates removed, 0.0 MiB freed\n')
    expect((await run('templates', 'prune', '--max-age', '9.5')).out).toBe(
      `${OLD}\n1 template removed, 3.0 MiB freed\n`,
    )
    expect(readdirSync(templates)).toEqual([NEW])
  })

  test('prunes by size, the least recently used template first', async () => {
    template(OLD, 10)
    template(NEW, 0)
    await run('templates', 'prune', '--max-size', '4M')
    expect(readdirSync(templates)).toEqual([NEW])
  })

  test('removes templates by key, or none if a key is unknown', async () => {
    template(OLD, 10)
    template(NEW, 0)
    const refused = await run('templates', 'remove', NEW, 'c'.repeat(32))
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no template c+.*\[FILE_MISSING\]/s) as string,
    })
    expect(readdirSync(templates)).toEqual([NEW, OLD])
    expect((await run('templates', 'remove', NEW)).out).toBe('1 template removed\n')
    expect(readdirSync(templates)).toEqual([OLD])
  })
})

test('resume refuses a file that is not a saved machine, with a hint', async () => {
  const file = join(templates, '..', 'machine.coldboot')
  expect(await run('resume', file)).toMatchObject({ code: 1, err: expect.stringMatching(/FILE_MISSING/) as string })
  writeFileSync(file, 'text')
  const { code, err } = await run('resume', file)
  expect(err).toMatch(/was not written by coldboot.*\[MACHINE_FILE_INVALID\]/s)
  expect(code).toBe(1)
})

describe('doctor', () => {
  test('prints the same findings as JSON', async () => {
    const { code, out } = await run('doctor', '--arch', 'x86_64', '--json')
    const { isWell, findings } = JSON.parse(out) as { isWell: boolean; findings: { state: string; what: string }[] }
    expect(isWell).toBe(true)
    expect(findings.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['Node.js', 'QEMU', 'Guest', 'Guard', 'Cache']),
    )
    expect(code).toBe(0)
  })

  test('lists the findings', async () => {
    const { code, out } = await run('doctor', '--arch', 'x86_64')
    expect(out).toMatch(
      /^✓ Node\.js: v\d.*\n✓ QEMU: \d+\.\d+\.\d+, (?:from npm: @coldboot\/qemu-\S+|on PATH|named by the environment), \/.*\/qemu-system-x86_64\n[✓!] Guest: .*@coldboot\/guest-x86_64.*\n[✓!] Acceleration: (?:kvm|hvf|tcg): .*\n✓ Guard: (?:tie|pdeathsig|pipe): .*\n✓ Memory: \d+ MiB may be used\n✓ Cache: \/.*, 0 templates, 0 MiB\n✓ Temporary files: \/.*\n$/,
    )
    expect(code).toBe(0)
  })

  test('fails with a hint when machines cannot be started', async () => {
    vi.stubEnv('COLDBOOT_QEMU', '/nowhere/qemu')
    const { code, out } = await run('doctor')
    expect(out).toMatch(/^✗ QEMU: .*\/nowhere\/qemu/m)
    expect(code).toBe(1)
  })

  test('names a cache folder that cannot be used', async () => {
    mkdirSync(templates)
    const file = join(templates, 'file')
    writeFileSync(file, '')
    vi.stubEnv('COLDBOOT_CACHE', join(file, 'cache'))
    const { code, out } = await run('doctor')
    expect(out).toMatch(/^✗ Cache: \S+\/file\/cache cannot be used: .*COLDBOOT_CACHE/m)
    expect(code).toBe(1)
  })

  test('accepts a cache folder that does not exist yet', async () => {
    vi.stubEnv('COLDBOOT_CACHE', join(templates, 'new', 'cache'))
    expect((await run('doctor')).out).toMatch(/^✓ Cache: \S+\/new\/cache, 0 templates/m)
  })
})

test.each([
  [['boot'], /no command `boot`/],
  [['templates', 'delete'], /no command `templates delete`/],
  [['templates', '--max-age', '3'], /`--max-age` does not belong/],
  [['templates', 'prune', '--max-age', 'old'], /number of days/],
  [['templates', 'prune', '--max-size', '8'], /500M or 8G/],
  [['templates', 'remove'], /needs the keys/],
  [['templates', 'remove', '../..'], /32 hexadecimal digits/],
  [['doctor', '--arch', 'pdp11'], /`--arch` must be one of/],
  [['doctor', '--colour'], /--colour/],
  [['templates', 'export'], /needs the keys to export, or `--all`/],
  [['templates', 'export', '--all', NEW], /needs the keys to export, or `--all`/],
  [['resume'], /needs one file/],
  [['resume', 'a', 'b'], /needs one file/],
  [['resume', 'a', '--file', 'b'], /value such as OLD=NEW/],
  [['resume', 'a', '--run', 'b', '--gdb'], /cannot be used together/],
  [['resume', 'a', '--fast'], /--fast/],
  [['docter'], /^coldboot: there is no command `docter`; did you mean `doctor`\?\n/],
  [['template', 'prune'], /no command `template`; did you mean `templates`\?\n/],
  [['templates', 'prun'], /no command `templates prun`; did you mean `templates prune`\?\n/],
  [['doctor', '--jsn'], /no option `--jsn`; did you mean `--json`\?\n/],
  [['resume', 'a', '--runn=ls'], /no option `--runn`; did you mean `--run`\?\n/],
  [['doctor', '-x'], /no option `-x`\n/],
])('refuses %j in two lines, with the reason and the way to get help', async (args, reason) => {
  const { code, err } = await run(...args)
  expect(err).toMatch(reason)
  expect(err).toMatch(/^coldboot: .+\nRun `coldboot --help` to see the commands and their options\.\n$/)
  expect(code).toBe(2)
})

test('refuses missing arguments with the usage', async () => {
  const { code, err } = await run()
  expect(err).toMatch(/^coldboot: a command is needed\n\nUsage: coldboot <command>/)
  expect(code).toBe(2)
})

test('shows its usage and its version', async () => {
  expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringMatching(/^Usage: coldboot/) as string })
  expect(await run('--version')).toMatchObject({ code: 0, out: '0.1.0\n' })
})
