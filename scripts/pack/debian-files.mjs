// @ts-check
/** Files of Debian packages by their path on an installed system. A package is downloaded when one of its files is requested. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { StepError } from '../commands.mjs'
import { unpackDeb } from './debian.mjs'
import { readElf } from './elf.mjs'

/**
 * @typedef {object} FoundFile
 * @property {Uint8Array} data
 * @property {import('./debian.mjs').DebianPackage} package the package that contains it
 */

/** Files of several packages, each unpacked in its own folder. */
export class DebianFiles {
  /** @type {Map<string, import('./debian.mjs').DebianPackage>} */
  #unpacked = new Map()
  #debian
  #folder

  /** @param {import('./debian.mjs').Debian} debian @param {string} folder empty */
  constructor(debian, folder) {
    this.#debian = debian
    this.#folder = folder
  }

  /** Downloads and unpacks packages. Ignores unpacked packages and names that Debian does not have. @param {readonly string[]} names */
  async add(names) {
    const missing = names.filter((name) => !this.#unpacked.has(name))
    const found = [...(await this.#debian.findAll(missing)).values()]
    const debs = await this.#debian.download(found)
    await Promise.all(debs.map((deb, index) => unpackDeb(deb, join(this.#folder, found[index]?.name ?? ''))))
    for (const it of found) this.#unpacked.set(it.name, it)
  }

  /**
   * Finds a file. Follows links, also to files of other packages.
   * @param {string} path without a leading slash @returns {FoundFile | undefined}
   */
  find(path, depth = 0) {
    for (const [name, debianPackage] of this.#unpacked) {
      const place = join(this.#folder, name, path)
      const stat = lstatSync(place, { throwIfNoEntry: false })
      if (stat?.isFile()) return { data: readFileSync(place), package: debianPackage }
      const link = this.#linkOn(name, path)
      if (link !== undefined && depth < 8) return this.find(link, depth + 1)
    }
    return undefined
  }

  /** @param {string} path @returns {FoundFile} @throws StepError without such a file */
  get(path) {
    const found = this.find(path)
    if (!found) throw new StepError(`No package has ${path}: ${[...this.#unpacked.keys()].join(', ')}`)
    return found
  }

  /** Names in a folder, of all packages. @param {string} path @returns {readonly string[]} */
  list(path) {
    const names = [...this.#unpacked.keys()].flatMap((name) => {
      try {
        return readdirSync(join(this.#folder, name, path))
      } catch {
        return []
      }
    })
    return [...new Set(names)].sort()
  }

  /**
   * All libraries that programs are linked with, directly or indirectly, by name. Includes the dynamic loader.
   * @param {readonly FoundFile[]} programs @param {string} triplet `x86_64-linux-gnu`
   * @returns {Promise<Map<string, FoundFile>>}
   */
  async libraries(programs, triplet) {
    /** @type {Map<string, FoundFile>} */
    const found = new Map()
    let users = [...programs]
    while (users.length > 0) {
      const wanted = users.flatMap((user) => {
        const elf = readElf(user.data)
        const loader = elf?.interpreter === undefined ? [] : [posix.basename(elf.interpreter)]
        return [...(elf?.needed ?? []), ...loader].map((name) => ({ name, user }))
      })
      const unknown = wanted.filter(({ name }) => !found.has(name))
      const look = (/** @type {string} */ name) => this.find(`usr/lib/${triplet}/${name}`)
      // A package depends on the packages of the libraries that its files need.
      await this.add(unknown.flatMap(({ name, user }) => (look(name) ? [] : user.package.depends)))
      users = []
      for (const { name, user } of unknown) {
        if (found.has(name)) continue
        const library = look(name)
        if (!library) throw new StepError(`No package that ${user.package.name} depends on has ${name}`)
        found.set(name, library)
        users.push(library)
      }
    }
    return found
  }

  /** The licence text of a package. @param {string} name @returns {Promise<string>} */
  async copyright(name) {
    const path = `usr/share/doc/${name}/copyright`
    // The folder may be a link to the folder of another package of the same source.
    const other = /^usr\/share\/doc\/([^/]+)/.exec(this.#linkOn(name, path) ?? '')?.[1]
    if (other !== undefined) await this.add([other])
    return Buffer.from(this.get(path).data).toString()
  }

  /** Replaces the first link in the path by its target; undefined without a link. @param {string} name @param {string} path */
  #linkOn(name, path) {
    const parts = path.split('/')
    for (let count = 1; count <= parts.length; count++) {
      const part = parts.slice(0, count).join('/')
      const place = join(this.#folder, name, part)
      if (!lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) continue
      const target = posix.resolve('/', dirname(part), readlinkSync(place))
      return posix.join(target, ...parts.slice(count)).slice(1)
    }
    return undefined
  }
}
