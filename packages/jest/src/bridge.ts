/**
 * Interface between the environment and the test files. Jest runs each test file in its own realm with its own module
 * loader. Modules in the realm have their own `Error` and `RegExp` classes, are loaded again for each file, and cannot be ES
 * modules in CommonJS. Therefore the environment loads coldboot once, outside the realm, and tests use it through this bridge.
 */
import type * as core from '@coldboot/core'
import type { VM, VMOptions } from '@coldboot/core'
import type * as guest from '@coldboot/guest'
import type * as matchers from '@coldboot/matchers'

export type {} from './augmentation.ts'

/** Key of the bridge on the global object of a test file. */
export const BRIDGE: unique symbol = Symbol.for('coldboot.jest') as typeof BRIDGE

/** Options of a machine, or a function that returns them for each test, for example to create a device per test. */
export type VMOptionsSource = VMOptions | (() => VMOptions | Promise<VMOptions>)

/** Argument of a test function that is passed to `withVM`. */
export interface Machines {
  /** A machine with the options. It is ready, and ends with the test. */
  readonly vm: VM
  /** Boots another machine. */
  readonly bootVM: (options?: VMOptionsSource) => Promise<VM>
}

/** A test function. Receives its machines before the arguments of `test.each`. */
export type MachineTest<Args extends readonly unknown[]> = (machines: Machines, ...args: Args) => unknown

/** Signatures of `withVM`. */
export interface WithVM {
  <Args extends readonly unknown[]>(fn: MachineTest<Args>): (...args: Args) => Promise<void>
  <Args extends readonly unknown[]>(options: VMOptionsSource, fn: MachineTest<Args>): (...args: Args) => Promise<void>
}

/** Functions for test files. */
export interface MachineApi {
  /**
   * Boots a fresh machine before each test of the file or `describe` in which it is called, and ends it after the test.
   * Machines of the same `describe` boot at the same time. The default names are `vm`, `vm-2` and so on.
   *
   * @returns a function that returns the machine of the running test
   */
  readonly useVM: (options?: VMOptionsSource) => () => VM

  /**
   * Wraps a test function that takes a machine. For `test.concurrent`, which skips hooks, and for machines of a
   * single test.
   *
   * @example
   * test.concurrent('greets', withVM(async ({ vm }) => { … }))
   */
  readonly withVM: WithVM

  /** Boots a machine for the running test. Call it in a test or in `beforeEach`. The machine ends with the test. */
  readonly bootVM: (options?: VMOptionsSource) => Promise<VM>
}

/** The value on the global object of a test file. */
export interface Bridge extends MachineApi {
  /** The packages that tests import, loaded by the environment. */
  readonly modules: {
    readonly core: typeof core
    readonly guest: typeof guest
    readonly matchers: typeof matchers
  }
}
