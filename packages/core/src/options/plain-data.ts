/** Recognizes plain data, including objects from the realm of a test runner. */

/** Whether a value is an object that is neither a list nor of a built-in class, such as a date, bytes or a promise. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** A value that is not plain data. */
export interface NonPlainPart {
  /** Path of the value, such as `userData.write_files[0].content`. */
  readonly path: string
  /** Description of the value, such as "a function". */
  readonly what: string
}

/** The first part of an object that is not JSON data. Undefined values are accepted. */
export function nonPlainPart(value: object): NonPlainPart | undefined {
  const visit = (part: unknown, path: string, parents: readonly unknown[]): NonPlainPart | undefined => {
    const isLeaf = part === null || typeof part === 'string' || typeof part === 'boolean' || part === undefined
    if (isLeaf || Number.isFinite(part)) return undefined
    if (parents.includes(part)) return { path, what: 'a circular reference' }
    if (!Array.isArray(part) && !isPlainObject(part)) return { path, what: kindOf(part) }
    const below = Array.isArray(part)
      ? part.map((entry, index) => [`${path}[${index}]`, entry] as const)
      : Object.entries(part).map(([key, entry]) => [path === '' ? key : `${path}.${key}`, entry] as const)
    for (const [name, entry] of below) {
      const found = visit(entry, name, [...parents, part])
      if (found !== undefined) return found
    }
    return undefined
  }
  return visit(value, '', [])
}

function kindOf(value: unknown): string {
  if (typeof value === 'object') return `a ${Object.prototype.toString.call(value).slice('[object '.length, -1)}`
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : `a ${typeof value}`
}
