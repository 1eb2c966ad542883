// @ts-check
/**
 * Builds the site into `site/out/`: the pages, and the API from the docstrings. Fails on broken links and `{@link}`s. Reads the
 * declarations that the compiler writes. Uses its own TypeScript 6, because typedoc does not support version 7.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Application, Comment, CommentTag, Converter, ReflectionKind } from 'typedoc'
import { ROOT } from '../scripts/setup.mjs'
import { brokenLinks } from './broken-links.mjs'
import { sitePages, writePages } from './pages.mjs'

/** Folder of the site. */
export const OUT = join(ROOT, 'site', 'out')

/** Replacement for the entry of `@coldboot/core` that exports classes. */
const CORE = join(ROOT, 'site', 'core-api.d.ts')
/** File of core -> exported name that `core-api.d.ts` replaces by its class. */
const LOADED_LATER = /** @type {const} */ ([
  ['vm.d.ts', 'VM'],
  ['template.d.ts', 'Template'],
])

/** Packages for users. A name that several of them export is documented in the first one. */
const DOCUMENTED = ['core', 'guest', 'matchers', 'report', 'vitest', 'jest', 'qemu', 'mkfatfs-wasm']
/** Entries that only runners or other packages of this workspace load. */
const LOADED_BY_OTHERS = ['./internal', './guest-package', './environment', './jest-preset']

/** Entry → its declarations. @returns {Map<string, string>} */
function entries() {
  return new Map(
    DOCUMENTED.flatMap((folder) => {
      const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'packages', folder, 'package.json'), 'utf8'))
      return Object.entries(exports).flatMap(([entry, target]) =>
        typeof target === 'string' || LOADED_BY_OTHERS.includes(entry)
          ? []
          : [[name + entry.slice(1), join(ROOT, 'packages', folder, target.types)]],
      )
    }),
  )
}

/** @returns {Promise<string[]>} problems; empty if the site is complete */
export async function buildSite() {
  const names = entries()
  names.set('@coldboot/core', CORE)
  const pages = sitePages()
  const readme = writePages(pages)
  const app = await Application.bootstrap({
    name: 'coldboot',
    tsconfig: join(ROOT, 'site', 'tsconfig.json'),
    entryPoints: [...names.values()],
    readme,
    projectDocuments: pages.map(({ copy }) => join(ROOT, 'site', 'pages', copy)),
    out: OUT,
    customCss: join(ROOT, 'site', 'site.css'),
    // The project has no public repository to link to.
    disableSources: true,
    disableGit: true,
    githubPages: false,
    hideGenerator: true,
    includeVersion: false,
    excludeExternals: true,
    excludePrivate: true,
    excludeProtected: true,
    excludeInternal: true,
    sortEntryPoints: false,
    groupOrder: ['Guides', 'API', 'Packages', 'Examples', 'Project', 'QEMU and guests', '*'],
    navigation: { includeCategories: false, includeGroups: true, includeFolders: false },
    includeHierarchySummary: false,
    headings: { readme: false, document: false },
    searchInComments: true,
    searchInDocuments: true,
    searchGroupBoosts: { Guides: 8, Packages: 4 },
    highlightLanguages: ['ts', 'js', 'sh', 'console', 'yaml', 'json', 'dockerfile', 'c', 'text'],
    validation: { invalidLink: true, invalidPath: true, rewrittenLink: true, notExported: false, notDocumented: false },
    logLevel: 'Warn',
  })
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kind !== ReflectionKind.Module) return
    const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName
    const [name] = [...names].find(([, path]) => path === file) ?? []
    if (name === undefined) return
    reflection.name = name
    reflection.comment = new Comment([], [new CommentTag('@group', [{ kind: 'text', text: 'API' }])])
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const [file, name] of LOADED_LATER) useClass(context, file, name)
  })
  const project = await app.convert()
  if (project === undefined) return ['typedoc could not read the declarations']
  app.validate(project)
  await app.generateOutputs(project)
  const warnings = app.logger.warningCount + app.logger.errorCount
  return [...(warnings > 0 ? [`typedoc has ${warnings} warnings`] : []), ...brokenLinks(OUT)]
}

/**
 * Redirects references to a value or type that is loaded on demand to its class.
 * @param {import('typedoc').Context} context @param {string} file that declares them @param {string} name
 */
function useClass(context, file, name) {
  const { project } = context
  const path = join(ROOT, 'packages', 'core', 'dist', file)
  const program = context.programs.find((it) => it.getSourceFile(path) !== undefined)
  const source = program?.getSourceFile(path)
  const module = source && program?.getTypeChecker().getSymbolAtLocation(source)
  const symbol = module?.exports?.get(/** @type {import('typescript').__String} */ (name))
  const [ofClass, ...others] = project
    .getReflectionsByKind(ReflectionKind.All)
    .filter((it) => it.name === name && it.parent?.kindOf(ReflectionKind.Module))
    .toSorted((a, b) => Number(b.kindOf(ReflectionKind.Class)) - Number(a.kindOf(ReflectionKind.Class)))
  if (symbol === undefined || ofClass?.kindOf(ReflectionKind.Class) !== true)
    throw new Error(`There is no class ${name}`)
  for (const other of others) if (!other.kindOf(ReflectionKind.Reference)) project.removeReflection(other)
  project.registerSymbolId(ofClass, context.createSymbolId(symbol))
}

if (process.argv[1] === import.meta.filename) {
  const problems = await buildSite()
  console.error(problems.join('\n'))
  if (problems.length > 0) process.exitCode = 1
  else console.log(`${readdirSync(OUT, { recursive: true }).length} files in ${relative(process.cwd(), OUT)}`)
}
