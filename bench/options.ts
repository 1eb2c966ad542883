/** Options of a benchmark on its command line, such as `--rounds 9`. */
import { parseArgs } from 'node:util'

/** @param defaults name of each option -> its default, which also determines the type of the option */
export function benchOptions<Options extends Readonly<Record<string, number | string>>>(defaults: Options): Options {
  const { values } = parseArgs({
    options: Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' }] as const)),
  })
  const given = Object.entries(values).map(([name, value]) => {
    if (typeof defaults[name] === 'string') return [name, value]
    if (!/^[1-9]\d*$/.test(value ?? '')) throw new Error(`\`--${name}\` must be a positive whole number: ${value}`)
    return [name, Number(value)]
  })
  return { ...defaults, ...Object.fromEntries(given) }
}
