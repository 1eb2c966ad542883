/** Partition of the members of a network. */
import { OptionError } from '../errors.ts'

/** Groups that cannot reach each other. A member without a group reaches all others. */
export class Partition<Member> {
  readonly #groupOf = new Map<Member, number>()

  /** @throws OptionError `INVALID_OPTION` when a member is in two groups */
  constructor(groups: readonly (readonly Member[])[]) {
    for (const [number, group] of groups.entries()) {
      for (const member of group) {
        const other = this.#groupOf.get(member)
        if (other !== undefined && other !== number) {
          throw new OptionError('INVALID_OPTION', `Card ${String(member)} is in two groups of the partition`)
        }
        this.#groupOf.set(member, number)
      }
    }
  }

  separates(one: Member, other: Member): boolean {
    const [first, second] = [this.#groupOf.get(one), this.#groupOf.get(other)]
    return first !== undefined && second !== undefined && first !== second
  }
}
