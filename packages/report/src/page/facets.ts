/** Properties of machines that the tests of the page can be filtered by. */
import type { MachineFiles } from './machine-files.ts'

/** Values of a test: name of the property → values of its machines. */
export type Facets = Readonly<Record<string, readonly string[]>>

/** Titles of facts that are also properties. */
const FACTS = ['Architecture', 'Accelerator', 'Kernel', 'Start']

/** The properties of the machines of a test. */
export function facetsOf(machines: readonly MachineFiles[]): Facets {
  const pairs = machines.flatMap(({ name, facts }) => [
    ['Machine', name] as const,
    ...facts.filter(([title]) => FACTS.includes(title)),
  ])
  return Object.fromEntries(
    [...Map.groupBy(pairs, ([title]) => title)].map(([title, some]) => [
      title,
      [...new Set(some.map(([, value]) => value))],
    ]),
  )
}

/** All values of each property, if there is more than one. */
export function choicesOf(tests: Iterable<Facets>): Facets {
  const pairs = [...tests].flatMap((facets) => Object.entries(facets))
  return Object.fromEntries(
    [...Map.groupBy(pairs, ([title]) => title)].flatMap(([title, some]) => {
      const values = [...new Set(some.flatMap(([, list]) => list))].sort()
      return values.length > 1 ? [[title, values]] : []
    }),
  )
}
