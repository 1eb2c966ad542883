/** The preset `@coldboot/jest`. */
import { join } from 'node:path'

/** Absolute path of a file of this package, because Jest resolves names from the project. */
const here = (file: string): string => join(__dirname, file)

const preset = {
  testEnvironment: here('environment.js'),
  // Jest's 5 seconds are shorter than one wait of a machine with the default timeout.
  testTimeout: 30_000,
  moduleNameMapper: {
    '^@coldboot/core$': here('bridged-core.cjs'),
    '^@coldboot/guest$': here('bridged-guest.cjs'),
    '^@coldboot/matchers$': here('bridged-matchers.cjs'),
  },
  reporters: ['default', here('reporter.js')],
  // Ignores the files of failed tests, which would start another run in watch mode.
  modulePathIgnorePatterns: ['<rootDir>/\\.jest/'],
}

module.exports = preset
