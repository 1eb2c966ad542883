/**
 * Functions that build, export and import templates. Their modules are loaded when a function is called, as in `vm.ts`.
 */
import type { Readable, Writable } from 'node:stream'
import type { MachineOptions } from './spec/machine-options.ts'
import type { ImportedTemplates } from './template/carried-templates.ts'
import type { TemplateStore } from './template/store/template-store.ts'
import type { Template as BuiltTemplate, TemplateOptions } from './template/template.ts'

/** A saved machine from which others are started. */
export type Template = BuiltTemplate

/** Methods that return a {@link Template}. */
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

/** The templates of this user. */
export async function templateStore(): Promise<TemplateStore> {
  const { templateStore } = await import('./template/store/template-store.ts')
  return templateStore()
}

/** Loads `template/carried-templates.ts` and calls its `exportTemplates`. */
export async function exportTemplates(
  store: TemplateStore,
  keys: readonly string[] | undefined,
  output: Writable,
): Promise<void> {
  const { exportTemplates } = await import('./template/carried-templates.ts')
  await exportTemplates(store, keys, output)
}

/** Loads `template/carried-templates.ts` and calls its `importTemplates`. */
export async function importTemplates(store: TemplateStore, input: Readable): Promise<ImportedTemplates> {
  const { importTemplates } = await import('./template/carried-templates.ts')
  return importTemplates(store, input)
}
