/**
 * `@coldboot/core` as its users see it: `VM` and `Template` are the classes of the machines and templates that the functions
 * of these names return.
 */
export * from '../packages/core/dist/index.js'
export { VM } from '../packages/core/dist/machine/vm.js'
export { Template } from '../packages/core/dist/template/template.js'
