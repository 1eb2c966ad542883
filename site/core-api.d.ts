/**
 * The API of `@coldboot/core` for the site. `VM` and `Template` are the classes of machines and templates, instead of the objects
 * with the functions that create them.
 */
export * from '../packages/core/dist/index.js'
export { VM } from '../packages/core/dist/machine/vm.js'
export { Template } from '../packages/core/dist/template/template.js'
