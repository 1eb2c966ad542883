/** The way to build a template. What runs a machine is loaded with the first, as in `vm.ts`. */
import type { MachineOptions } from './spec/machine-options.ts'
import type { Template as BuiltTemplate, TemplateOptions } from './template/template.ts'

/** A saved machine from which others are started. */
export type Template = BuiltTemplate

/** The way to get a {@link Template}. */
export interface TemplateBuilds {
  /**
   * Finds the template of these options in the cache, or boots a machine to its `ready` pattern, prepares it and saves
   * it. One process builds the template while the others wait.
   *
   * @throws OptionError as `VM.start` does, and `INVALID_OPTION` without `ready`
   * @throws TemplateError `TEMPLATE_UNSAVABLE` with the reason
   * @throws ExpectError when the machine does not become ready; any error of `prepare`
   */
  build(options: MachineOptions, templateOptions?: TemplateOptions): Promise<Template>
}

/** Builds templates: {@link TemplateBuilds.build}. */
export const Template: TemplateBuilds = Object.freeze({
  async build(options: MachineOptions, templateOptions?: TemplateOptions) {
    return (await import('./template/template.ts')).Template.build(options, templateOptions)
  },
})
