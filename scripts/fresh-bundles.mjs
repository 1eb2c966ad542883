// @ts-check
/** Global setup of Vitest that bundles the packages before tests that install them. */
import { bundlePackages } from './bundle.mjs'

export default function setup() {
  return bundlePackages()
}
