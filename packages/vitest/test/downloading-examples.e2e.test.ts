/** Runs examples that download a part of their guest from Debian, first unchanged, then with the mistake of their README. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEnvironment } from '@coldboot/core/internal'
import { expect, test } from 'vitest'
import { folderOf, readmeReport } from './example.ts'
import { installProject } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

/** An example. */
interface Example {
  readonly name: string
  /** The only host architecture that the example supports. @default any */
  readonly arch?: NodeJS.Architecture
  /** Required commands of the host. */
  readonly needs: readonly string[]
  readonly download: string
  /** Environment variable with the folder of the download. */
  readonly variable: string
  readonly tests: number
  /** The mistake of the README, and the title of the test that finds it. */
  readonly mistake: { readonly file: string; readonly right: string; readonly wrong: string; readonly title: string }
}

const EXAMPLES: readonly Example[] = [
  {
    name: 'kernel-module',
    needs: ['make', 'gcc'],
    download: 'get-kernel.sh',
    variable: 'KERNELS',
    tests: 3,
    mistake: { file: 'module/counter.c', right: 'add_return(1,', wrong: 'add_return(2,', title: 'own tests' },
  },
  {
    name: 'u-boot',
    needs: ['qemu-system-aarch64'],
    download: 'get-u-boot.sh',
    variable: 'U_BOOT',
    tests: 3,
    mistake: { file: 'disk/uEnv.txt', right: '$board', wrong: '$bord', title: 'start command' },
  },
  {
    name: 'uefi-app',
    arch: 'x64',
    needs: ['make', 'gcc', 'objcopy'],
    download: 'get-gnu-efi.sh',
    variable: 'GNU_EFI',
    tests: 3,
    mistake: { file: 'app/checksum.c', right: '(data, size,', wrong: '(data, size + 1,', title: 'prints the size' },
  },
  {
    name: 'installer',
    arch: 'x64',
    needs: ['tar'],
    download: 'get-medium.sh',
    variable: 'MEDIUM',
    tests: 1,
    mistake: { file: 'install.sh', right: '  initrd initramfs\n', wrong: '', title: 'installs' },
  },
  {
    name: 'init-unit',
    needs: ['tar'],
    download: 'get-systemd.sh',
    variable: 'SYSTEMD',
    tests: 3,
    mistake: { file: 'system/door-lock.service', right: '/run/keys/list', wrong: '/run/key/list', title: 'after its' },
  },
]

for (const example of EXAMPLES) {
  const { name, mistake } = example
  const reason = missing(example)
  const suffix = reason === undefined ? '' : ` (${reason})`
  test.skipIf(reason !== undefined)(`examples/${name} passes, and fails like in its README${suffix}`, async () => {
    using project = installProject(folderOf(name))
    // Downloaded once per user.
    const env = { [MARK]: project.root, [example.variable]: join(readEnvironment().cacheDirectory, 'examples', name) }
    expect(await project.shell(`./${example.download}`, env)).toMatchObject({ exitCode: 0 })
    const passing = await project.run([], env)
    expect(passing.output).toMatch(new RegExp(`Tests {2}${example.tests} passed`))

    const source = join(project.root, mistake.file)
    writeFileSync(source, readFileSync(source, 'utf8').replace(mistake.right, mistake.wrong))
    const failing = await project.run(['--reporter=default', '-t', mistake.title], env)
    expect(failing.exitCode).toBe(1)
    const readme = readFileSync(folderOf(`${name}/README.md`), 'utf8')
    const [, shown = ''] = /## What a failure looks like\n[^`]*```\n([\s\S]*?)\n```/.exec(readme) ?? []
    expect(shown).not.toBe('')
    expect(withoutNumbers(readmeReport(failing.output, project.root))).toContain(withoutNumbers(shown))
    expect(machinesOf(project.root)).toEqual([])
  })
}

/** Returns the reason why the example cannot run on this host; undefined if it can. */
function missing({ arch = process.arch, needs }: Example): string | undefined {
  if (!existsSync('/etc/dpkg/origins/debian')) return 'this host is no Debian'
  if (arch !== process.arch) return `this host is no ${arch}`
  return needs.flatMap((command) => (hasCommand(command) ? [] : [`${command} is not installed`]))[0]
}

function hasCommand(name: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', name])
    return true
  } catch {
    return false
  }
}

/** Replaces numbers, dates and the countdown of U-Boot, which differ between runs and between package versions. */
function withoutNumbers(text: string): string {
  return text
    .replaceAll(/^ *Hit any key.*\n/gm, '')
    .replaceAll(/\S+ \w+\/s\b/g, '0')
    .replaceAll(/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b/g, 'Day')
    .replaceAll(/\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b/g, 'Month')
    .replaceAll(/\d[\d.,:]*(?: ?(?:ms|s|min)\b)?/g, '0')
}
