/**
 * Test environment with machines. Extends Jest's Node environment, loads coldboot outside of the realm of the test file, and
 * receives events at the start and end of each test, which hooks do not.
 */
import { relative } from 'node:path'
import * as core from '@coldboot/core'
import * as guest from '@coldboot/guest'
import * as matchers from '@coldboot/matchers'
import type { EnvironmentContext, JestEnvironmentConfig } from '@jest/environment'
import type { Circus } from '@jest/types'
import { TestEnvironment } from 'jest-environment-node'
import type {} from './augmentation.ts'
import { BRIDGE, type Bridge } from './bridge.ts'
import { type ColdbootOptions, checkedOptions } from './coldboot-options.ts'
import { FileTests } from './file-tests.ts'
import { endInOrder, endWithParent } from './interrupt.ts'

export type { ColdbootOptions }

/** Jest's Node environment with machines. Its options, in `testEnvironmentOptions.coldboot`, are {@link ColdbootOptions}. */
export default class MachineEnvironment extends TestEnvironment {
  readonly #tests: FileTests
  readonly #guard: Disposable

  /** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
  constructor(config: JestEnvironmentConfig, context: EnvironmentContext) {
    const { projectConfig } = config
    // Removes our options, because Jest makes the options of an environment globals of the tests.
    const { coldboot, ...testEnvironmentOptions } = projectConfig.testEnvironmentOptions
    super({ ...config, projectConfig: { ...projectConfig, testEnvironmentOptions } }, context)
    this.#tests = new FileTests({
      root: projectConfig.rootDir,
      file: relative(projectConfig.rootDir, context.testPath),
      project: projectConfig.displayName?.name,
      options: checkedOptions(coldboot),
    })
    this.#guard = endInOrder(this.#tests)
    endWithParent()
    const bridge: Bridge = { ...this.#tests.api, modules: { core, guest, matchers } }
    // A getter, because Jest deletes the properties of global values at the end of the file.
    Object.defineProperty(this.global, BRIDGE, { configurable: true, get: () => bridge })
  }

  /** Called by Jest for each event of the test file. */
  handleTestEvent(event: Circus.Event, state: Circus.State): void | Promise<void> {
    return this.#tests.handle(event, state)
  }

  override async teardown(): Promise<void> {
    this.#guard[Symbol.dispose]()
    await super.teardown()
  }
}
