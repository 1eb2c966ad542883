/**
 * Index of kernel modules with their dependencies, and the order to load them. It is read from the modules, because a kernel
 * package does not contain `modules.dep`, which depmod creates on an installed system.
 */
import { OptionError } from '@coldboot/core'
import { closestMatch } from 'leven'
import { readElfSection } from './elf.ts'

/** Content of the `.modinfo` section of a module. */
export interface KernelModule {
  /** As in `/proc/modules`: underscores, never dashes. */
  readonly name: string
  /** Path below `lib/modules/<release>/`, uncompressed: `kernel/fs/9p/9p.ko`. */
  readonly path: string
  /** Hash of the uncompressed file, hexadecimal. */
  readonly sha256: string
  /** Names of the modules that it depends on. */
  readonly depends: readonly string[]
  /** Names or aliases, with underscores, of modules that are loaded before it if they exist (`softdep=pre:`). */
  readonly softDepends: readonly string[]
  /** Names by which the kernel requests it, such as `fs-9p` or `virtio:d00000009v*`. */
  readonly aliases: readonly string[]
}

/** All modules of one kernel, stored as JSON. */
export interface ModuleIndex {
  /** By name. */
  readonly modules: Readonly<Record<string, KernelModule>>
  /** Names of modules that are built into the kernel, so they are not loaded. */
  readonly builtIn: readonly string[]
}

/** `kernel/fs/9p/9p.ko.xz` → `9p`. A dash becomes an underscore, as in the kernel. */
export function moduleName(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1)
  return file.replace(/\.ko(?:\.\w+)?$/, '').replaceAll('-', '_')
}

/** Reads the `.modinfo` section of a module. `path` and `sha256` as in {@link KernelModule}, `file` is uncompressed. */
export function readModule(path: string, file: Uint8Array, sha256: string): KernelModule {
  const values = modinfo(file)
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

/** The version in the `vermagic` of a module, `6.1.0-57-amd64 SMP preempt mod_unload`; undefined without one. */
export function moduleRelease(file: Uint8Array): string | undefined {
  const [vermagic = ''] = modinfo(file)('vermagic')
  return vermagic.split(' ', 1)[0] || undefined
}

/** Returns the names in `modules.builtin`, which has one path per line. */
export function parseBuiltIn(text: string): string[] {
  return text.split('\n').filter(Boolean).map(moduleName)
}

/**
 * Returns the wanted modules and their dependencies, each after its dependencies. Built-in modules are omitted.
 *
 * @param wanted names, with dashes or underscores, or aliases without wildcards (`fs-9p`)
 * @throws OptionError `GUEST_MODULE_MISSING` with the module, the module that needs it, and the most similar known name
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

/** The lines of `modules.dep` for modprobe in the guest: each module with its dependencies, the deepest last. */
export function modulesDep(index: ModuleIndex, modules: readonly KernelModule[]): string {
  const line = (module: KernelModule): string => {
    const needs = loadOrder(index, [module.name]).slice(0, -1).reverse()
    return `${module.path}:${needs.map((needed) => ` ${needed.path}`).join('')}\n`
  }
  return modules.map(line).join('')
}

/** The lines of `modules.alias`, with which the kernel finds the module for a mount or a device. */
export function modulesAlias(modules: readonly KernelModule[]): string {
  return modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`)).join('')
}

function resolveName(index: ModuleIndex, builtIn: ReadonlySet<string>, asked: string): string {
  const name = moduleName(asked)
  if (builtIn.has(name) || Object.hasOwn(index.modules, name)) return name
  return Object.values(index.modules).find(({ aliases }) => aliases.includes(asked))?.name ?? name
}

// Of the modules with the same alias, such as `crc32c`, those for certain CPUs may fail to load.
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

/** Reads the values of a key. The section is a sequence of `key=value` strings, each followed by a NUL. */
function modinfo(file: Uint8Array): (key: string) => string[] {
  const section = readElfSection(file, '.modinfo') ?? new Uint8Array(0)
  const text = Buffer.from(section.buffer, section.byteOffset, section.byteLength).toString('utf8')
  const fields = text.split('\0').filter(Boolean)
  return (key) => fields.filter((field) => field.startsWith(`${key}=`)).map((field) => field.slice(key.length + 1))
}

// `pre: a b post: c` → a, b. Modules that are loaded afterwards are not needed.
function preDependencies(softdep: string): string[] {
  return (/pre:([^:]*?)(?:\s*\bpost:|$)/.exec(softdep)?.[1] ?? '').split(/\s+/).filter(Boolean)
}
