/** Compares the tables of options, devices, guest failures and other tools in the pages with the sources. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { INCIDENT_KINDS } from '../packages/core/src/console/incident/incident-kinds.ts'

const read = (file: string): string => readFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), 'utf8')

/** The rows of the first table after a text, as lists of cells. */
function tableAfter(page: string, text: string): readonly (readonly string[])[] {
  const [, rest] = read(page).split(text, 2)
  const [, table = ''] = /\n(\|[\s\S]*?)\n(?!\|)/.exec(rest ?? '') ?? []
  return table
    .split('\n')
    .slice(2)
    .map((row) => row.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '').trim()))
}

/** Returns the code in the first column of a table. */
function namesAfter(page: string, text: string): readonly string[] {
  return tableAfter(page, text)
    .flatMap(([cell = '']) => [...cell.matchAll(/`(\w+)`/g)])
    .map(([, name = '']) => name)
    .toSorted()
}

/** The members of an interface in a source file of the core. */
function membersOf(file: string, name: string): readonly string[] {
  const [, body = ''] =
    new RegExp(`\\nexport interface ${name}[^{]*\\{\\n([\\s\\S]*?)\\n\\}\\n`).exec(source(file)) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, member = '']) => member).toSorted()
}

function source(file: string): string {
  return read(`packages/core/src/${file}`)
}

test.for([
  ['packages/core/README.md', '## Options', 'spec/machine-options.ts', 'MachineOptions'],
  ['docs/devices.md', '`p9Directory(directory, options)`', 'devices/p9-directory.ts', 'P9DirectoryOptions'],
  ['docs/devices.md', '\n`readOnlyDirectory(', 'devices/read-only-directory.ts', 'ReadOnlyDirectoryOptions'],
  ['docs/devices.md', '## Disks', 'devices/block-device.ts', 'BlockDeviceOptions'],
  ['docs/bring-your-own.md', '## The root of the host', '../../guest/src/rootfs/host-root.ts', 'HostRootOptions'],
  ['docs/bring-your-own.md', '## Options', '../../guest/src/rootfs/rootfs-options.ts', 'RootfsOptions'],
  ['docs/cloud-init.md', '} satisfies VMOptions', 'devices/cloud-init.ts', 'CloudInitOptions'],
  ['docs/kernels.md', '`dir` and `vmlinuz`:', '../../guest/src/own-kernel/kernel-of.ts', 'KernelOfOptions'],
  ['docs/devices.md', '## Ports of the guest', 'devices/user-network.ts', 'UserNetworkOptions'],
] as const)('%s, "%s": the options are those of %s', ([page, text, file, name]) => {
  expect(membersOf(file, name)).not.toEqual([])
  expect(namesAfter(page, text)).toEqual(membersOf(file, name))
})

test('docs/templates.md lists the options of templates', () => {
  const page = 'docs/templates.md'
  const names = [...namesAfter(page, '## Options'), ...namesAfter(page, '## Limits')]
  // The page describes this option outside of the table.
  if (read(page).includes('`pool: false`')) names.push('pool')
  const ofTheMachine = ['bootTimeout', 'ready']
  expect(names.toSorted()).toEqual([...membersOf('template/vm-options.ts', 'VMOptions'), ...ofTheMachine].toSorted())
})

test('docs/devices.md lists all devices', () => {
  const exported = [...source('index.ts').matchAll(/^export (?!type)\{([^}]*)\} from '.\/devices\/[\w-]+.ts'/gm)]
    .flatMap(([, names = '']) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => /^(?:[a-z]\w*|Network)$/.test(name) && name !== 'optionString')
  expect(exported.length).toBeGreaterThan(12)
  expect(namesAfter('docs/devices.md', 'besides `virtio_pci`')).toEqual([...exported, 'nic'].toSorted())
})

test('docs/console.md lists all guest failures with their codes', () => {
  const rows = tableAfter('docs/console.md', '## Guest failures')
  const codes = rows.flatMap(([names = '', , code = '']) => names.split(', ').map((name) => `${name} ${code}`))
  expect(codes).toEqual(INCIDENT_KINDS.map(({ name, code }) => `\`${name}\` \`${code}\``))
})

/** The code of a table that shows coldboot in its last column. `…` stands for any code. */
function coldbootCode(page: string, text: string): readonly string[] {
  return tableAfter(page, text).flatMap((cells) =>
    [...(cells.at(-1) ?? '').matchAll(/``(.+?)``|`([^`]+)`/g)].map(([, double, single]) => double ?? single ?? ''),
  )
}

/** Whether the code contains a part as a whole word, not only inside of a longer name. */
function hasCode(code: string, part: string): boolean {
  const pattern = part.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&').replaceAll('…', '[^]*?')
  return new RegExp(`(?<![\\w-])${pattern}(?!\\w)`).test(code)
}

test.for([
  ['docs/coming-from.md', '## The NixOS test driver'],
  ['docs/coming-from.md', '## os-autoinst (openQA)'],
  ['docs/coming-from.md', '## pexpect'],
  ['docs/coming-from.md', "## u-root's qemu package and vmtest"],
  ['docs/devices.md', "## Coming from u-root's qemu package"],
] as const)('%s, "%s": the code of each row exists', ([page, text]) => {
  const comments = /^\/\*\*[^]*?\*\//
  const sources = [
    read('docs/coming-from.ts').replace(comments, ''),
    source('host/environment.ts').replace(comments, ''),
  ]
  const parts = coldbootCode(page, text)
  expect(parts.length).toBeGreaterThan(10)
  const isCode = (part: string): boolean => sources.some((code) => hasCode(code, part)) || isPackage(part)
  expect(parts.filter((part) => !isCode(part))).toEqual([])
})

function isPackage(name: string): boolean {
  const [, folder = ''] = /^@coldboot\/([\w-]+)$/.exec(name) ?? []
  return folder !== '' && read(`packages/${folder}/package.json`).includes(`"name": "${name}"`)
}
