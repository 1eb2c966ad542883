/** Names of a test’s machines: the first is called as the options say, the next ones are numbered. */
import { OptionError } from '@coldboot/core'

/** The names taken in one test. */
export class MachineNames {
  readonly #taken = new Set<string>()

  /**
   * @param own the name asked for, which nobody else may have
   * @param base what is numbered when no name is asked for
   * @throws OptionError `NAME_CONFLICT`
   */
  take(own: string | undefined, base: string): string {
    const name = own ?? this.#numbered(base)
    if (this.#taken.has(name)) {
      throw new OptionError('NAME_CONFLICT', `This test has two machines called "${name}"`)
    }
    this.#taken.add(name)
    return name
  }

  #numbered(base: string): string {
    if (!this.#taken.has(base)) return base
    let number = 2
    while (this.#taken.has(`${base}-${number}`)) number++
    return `${base}-${number}`
  }
}
