// @ts-check
/** Bundles the packages before tests that install them: a set-up of Vitest. */
import { bundlePackages } from './bundle.mjs'

export default function setup() {
  return bundlePackages()
}
