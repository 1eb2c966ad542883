/**
 * Which kernel modules there are, what each needs, and in which order to load them. A kernel package comes without the
 * `modules.dep` that a system's own depmod would write, so the truth is read from the modules themselves.
 */
import { OptionError } from '@coldboot/core'
import { closestMatch } from 'leven'
import { readElfSection } from './elf.ts'

/** What a module says of itself in its `.modinfo` section. */
export interface KernelModule {
  /** As in `/proc/modules`: underscores, never dashes. */
  readonly name: string
  /** Below `lib/modules/<release>/`, uncompressed: `kernel/fs/9p/9p.ko`. */
  readonly path: string
  /** Of the uncompressed file, hex. */
  readonly sha256: string
  /** Names of the modules it cannot be loaded without. */
  readonly depends: readonly string[]
  /** Names or aliases, with underscores, of modules it wants loaded before it where they exist (`softdep=pre:`). */
  readonly softDepends: readonly string[]
  /** Names the kernel asks for it by, as `fs-9p` or `virtio:d00000009v*`. */
  readonly aliases: readonly string[]
}

/** All modules of one kernel. Plain data, kept as JSON. */
export interface ModuleIndex {
  /** By name. */
  readonly modules: Readonly<Record<string, KernelModule>>
  /** Names of what is compiled into the kernel, and so needs no loading. */
  readonly builtIn: readonly string[]
}

/** `kernel/fs/9p/9p.ko.xz` → `9p`; a dash becomes an underscore, as the kernel does it. */
export function moduleName(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1)
  return file.replace(/\.ko(?:\.\w+)?$/, '').replaceAll('-', '_')
}

/** Reads a module's own account of itself. `path` and `sha256` as in {@link KernelModule}, `file` is uncompressed. */
export function readModule(path: string, file: Uint8Array, sha256: string): KernelModule {
  const fields = modinfoFields(readElfSection(file, '.modinfo') ?? new Uint8Array(0))
  const values = (key: string): string[] => fields.filter(([name]) => name === key).map(([, value]) => value)
  return {
    name: moduleName(path),
    path,
    sha256,
    depends: values('depends')
      .flatMap((list) => list.split(',').filter(Boolean))
      .map(moduleName),
    softDepends: values('softdep').flatMap(preDependencies).map(moduleName),
    aliases: values('alias'),
  }
}

/** `modules.builtin`, one path a line, → names. */
export function parseBuiltIn(text: string): string[] {
  return text.split('\n').filter(Boolean).map(moduleName)
}

/**
 * The modules asked for and all they need, each behind what it needs. What is built into the kernel is left out.
 *
 * @param wanted names, with dashes or underscores, or aliases without wildcards (`fs-9p`)
 * @throws OptionError `GUEST_MODULE_MISSING` that names the module, who needs it, and the nearest known name
 */
export function loadOrder(index: ModuleIndex, wanted: readonly string[]): KernelModule[] {
  const builtIn = new Set(index.builtIn)
  const order = new Map<string, KernelModule>()
  const visiting = new Set<string>()
  const visit = (name: string, neededBy?: string): void => {
    if (builtIn.has(name) || order.has(name) || visiting.has(name)) return
    const module = index.modules[name]
    if (!module) throw missing(index, name, neededBy)
    visiting.add(name)
    for (const soft of module.softDepends) {
      const found = softDependency(index, soft)
      if (found !== undefined) visit(found, name)
    }
    for (const needed of module.depends) visit(needed, name)
    order.set(name, module)
  }
  for (const name of wanted) visit(resolveName(index, builtIn, name))
  return [...order.values()]
}

/** The lines of `modules.dep` for `modules`, for modprobe in the guest: per module, its needs, the deepest last. */
export function modulesDep(index: ModuleIndex, modules: readonly KernelModule[]): string {
  const line = (module: KernelModule): string => {
    const needs = loadOrder(index, [module.name]).slice(0, -1).reverse()
    return `${module.path}:${needs.map((needed) => ` ${needed.path}`).join('')}\n`
  }
  return modules.map(line).join('')
}

/** The lines of `modules.alias` for `modules`: how the kernel finds a module when a mount or a device asks for it. */
export function modulesAlias(modules: readonly KernelModule[]): string {
  return modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`)).join('')
}

function resolveName(index: ModuleIndex, builtIn: ReadonlySet<string>, asked: string): string {
  const name = moduleName(asked)
  if (builtIn.has(name) || Object.hasOwn(index.modules, name)) return name
  return Object.values(index.modules).find(({ aliases }) => aliases.includes(asked))?.name ?? name
}

// Of the modules with one alias, that of `crc32c` say, those for some CPUs only may fail to load.
function softDependency(index: ModuleIndex, asked: string): string | undefined {
  if (Object.hasOwn(index.modules, asked)) return asked
  const named = Object.values(index.modules).filter(({ aliases }) =>
    aliases.some((alias) => moduleName(alias) === asked),
  )
  return named.find(({ aliases }) => !aliases.some((alias) => alias.startsWith('cpu:')))?.name
}

function missing(index: ModuleIndex, name: string, neededBy: string | undefined): OptionError {
  const nearest = closestMatch(name, [...Object.keys(index.modules), ...index.builtIn], { maxDistance: 3 })
  const suggestion = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
  return new OptionError(
    'GUEST_MODULE_MISSING',
    `The kernel has no module \`${name}\`${neededBy ? `, which \`${neededBy}\` needs` : ''}${suggestion}`,
  )
}

// The section is a row of `key=value` strings, each ended by a NUL.
function modinfoFields(section: Uint8Array): [key: string, value: string][] {
  const text = Buffer.from(section.buffer, section.byteOffset, section.byteLength).toString('utf8')
  return text
    .split('\0')
    .filter(Boolean)
    .map((field) => {
      const at = field.indexOf('=')
      return [field.slice(0, at), field.slice(at + 1)]
    })
}

// `pre: a b post: c` → a, b. What comes after a module is for the module that wants it to ask for.
function preDependencies(softdep: string): string[] {
  return (/pre:([^:]*?)(?:\s*\bpost:|$)/.exec(softdep)?.[1] ?? '').split(/\s+/).filter(Boolean)
}
