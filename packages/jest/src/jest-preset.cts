/** \`preset: '@coldboot/jest'\`: the one line a user adds to the Jest configuration. */
import { join } from 'node:path'

/** The path of a file of this package, absolute: the name would be looked up from the user's project. */
const here = (file: string): string => join(__dirname, file)

const preset = {
  testEnvironment: here('environment.js'),
  moduleNameMapper: {
    '^@coldboot/core$': here('bridged-core.cjs'),
    '^@coldboot/guest$': here('bridged-guest.cjs'),
    '^@coldboot/matchers$': here('bridged-matchers.cjs'),
  },
  reporters: ['default', here('reporter.js')],
  // What failed tests leave is no source: watch mode would run again because of it.
  modulePathIgnorePatterns: ['<rootDir>/\\.jest/'],
}

module.exports = preset
