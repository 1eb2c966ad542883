/**
 * The environment of test files with machines: Node's, and this project beside it, outside of the files' own realm. It sees
 * each test begin and end, which the tests' own hooks do not.
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

  /** @throws OptionError for options that are wrong */
  constructor(config: JestEnvironmentConfig, context: EnvironmentContext) {
    const { projectConfig } = config
    // The options of an environment become globals of the tests: this one is for us.
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
    // Behind a getter, or Jest would take it apart when the file is over.
    Object.defineProperty(this.global, BRIDGE, { configurable: true, get: () => bridge })
  }

  /** Told by Jest of everything that happens to the file's tests. */
  handleTestEvent(event: Circus.Event, state: Circus.State): void | Promise<void> {
    return this.#tests.handle(event, state)
  }

  override async teardown(): Promise<void> {
    // Machines made ahead for tests that do not come.
    await core.endPool()
    this.#guard[Symbol.dispose]()
    await super.teardown()
  }
}
