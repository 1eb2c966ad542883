/**
 * What the environment hands to the tests. Jest runs a test file in a realm of its own, with a module loader of its own:
 * what is loaded there has other `Error` and `RegExp` classes than Node's modules, is loaded anew for each file, and, in
 * CommonJS, cannot be an ES module. So this project is loaded once, by the environment, outside; tests reach it by this.
 */
import type * as core from '@coldboot/core'
import type { VM, VMOptions } from '@coldboot/core'
import type * as guest from '@coldboot/guest'
import type * as matchers from '@coldboot/matchers'

export type {} from './augmentation.ts'

/** Key of the bridge on a test file's global object. */
export const BRIDGE: unique symbol = Symbol.for('coldboot.jest') as typeof BRIDGE

/** What a machine has, or a function that says so for each test anew: for what only one machine can use, as a network. */
export type VMOptionsSource = VMOptions | (() => VMOptions | Promise<VMOptions>)

/** What a test made by `withVM` is given. */
export interface Machines {
  /** A machine made from the options: booted, ready, and gone with the test. */
  readonly vm: VM
  /** Boots one more machine. */
  readonly bootVM: (options?: VMOptionsSource) => Promise<VM>
}

/** A test's function, with its machines before its own arguments, as `test.each` gives them. */
export type MachineTest<Args extends readonly unknown[]> = (machines: Machines, ...args: Args) => unknown

/** Signatures of `withVM`. */
export interface WithVM {
  <Args extends readonly unknown[]>(fn: MachineTest<Args>): (...args: Args) => Promise<void>
  <Args extends readonly unknown[]>(options: VMOptionsSource, fn: MachineTest<Args>): (...args: Args) => Promise<void>
}

/** What tests can do with machines. */
export interface MachineApi {
  /**
   * Boots a fresh machine before each test of the file, or of the describe, in which it is called, and ends it after.
   * Machines of one describe boot at the same time. Named `vm`, `vm-2` and so on unless given a name.
   *
   * @returns a function that returns the running test's machine
   */
  readonly useVM: (options?: VMOptionsSource) => () => VM

  /**
   * Makes a test's function from one that takes a machine. For `test.concurrent`, which skips hooks, and wherever a
   * machine is for one test.
   *
   * @example
   * test.concurrent('greets', withVM(async ({ vm }) => { … }))
   */
  readonly withVM: WithVM

  /** Boots a machine for the running test, from inside it or from a `beforeEach`. It ends with the test. */
  readonly bootVM: (options?: VMOptionsSource) => Promise<VM>
}

/** The bridge. */
export interface Bridge extends MachineApi {
  /** The packages that tests import, as the environment has loaded them. */
  readonly modules: {
    readonly core: typeof core
    readonly guest: typeof guest
    readonly matchers: typeof matchers
  }
}
