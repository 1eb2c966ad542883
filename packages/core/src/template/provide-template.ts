/** Finds templates in the cache or makes them: the template of the booted machine, then each layer. */
import { TemplateError } from '../errors.ts'
import { requireNotAborted } from '../machine/launch.ts'
import { withRestoreAttachments } from '../machine/restore-attachment.ts'
import { locateQemu } from '../qemu/locate.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { type MakeRequest, makeLayer, makeTemplate, startOver } from './make-template.ts'
import type { Preparation, PrepareStep } from './preparation.ts'
import { restoreFailure } from './restore.ts'
import type { LayerParts, StoredTemplate } from './store/template-folder.ts'
import { templateKey } from './store/template-key.ts'
import type { BuildTemplate, TemplateStore } from './store/template-store.ts'

/** The requested template. */
export interface TemplateRequest {
  readonly spec: MachineSpec
  readonly preparation: Preparation
  readonly onBoot: MakeRequest['onBoot']
  readonly store: TemplateStore
}

/**
 * Finds or makes a template and, for a layer, the templates below it.
 *
 * @throws TemplateError `TEMPLATE_UNSAVABLE` with the reason; StartError `CACHE_UNUSABLE`; any error of the boot and
 * the preparation
 */
export async function provideTemplate(request: TemplateRequest): Promise<StoredTemplate> {
  const spec = withRestoreAttachments(request.spec)
  const found = spec.devices.find(({ untemplatable }) => untemplatable !== undefined)
  if (found) throw unsavable(spec, `its ${found.name} ${found.untemplatable}`)
  const { command: qemu, version: qemuVersion } = await locateQemu(spec.arch, spec.qemu)
  return provideLayer({ ...request, spec, qemu, qemuVersion }, request.preparation.layers.length)
}

type Located = TemplateRequest & { readonly qemu: readonly string[]; readonly qemuVersion: string }

/** Finds or makes the template with some of the layers. @param height number of these layers, from the lowest one */
async function provideLayer(request: Located, height: number): Promise<StoredTemplate> {
  const { spec, qemu, qemuVersion, preparation, onBoot, store } = request
  const { prepare, key: userKey, layers } = preparation
  const step = layers[height - 1]
  const key = await templateKey({
    ...{ spec, qemu, qemuVersion, prepare: String(prepare ?? ''), userKey, digests: store.digests },
    layers: layers.slice(0, height).map(({ source, key }) => ({ source, key })),
  })
  const build: BuildTemplate = (directory) => {
    const make = { spec, directory, digests: store.digests, onBoot }
    return step === undefined ? makeTemplate(make, preparation) : makeOverBase(request, height, make, step)
  }
  const stored = await store.findOrMake(key, build, spec.signal).catch((error: unknown) => {
    // The wait for the build of another process was aborted.
    if (error === spec.signal?.reason) requireNotAborted(spec)
    throw error
  })
  if ('unsavable' in stored) {
    throw unsavable(spec, stored.unsavable)
  }
  return stored
}

function unsavable({ name }: MachineSpec, why: string): TemplateError {
  return new TemplateError('TEMPLATE_UNSAVABLE', `Machine "${name}" cannot be saved: ${why}`)
}

async function makeOverBase(
  request: Located,
  height: number,
  make: MakeRequest,
  step: PrepareStep,
): Promise<string | LayerParts> {
  const base = await provideLayer(request, height - 1)
  const machine = await startOver(make, base).catch(async (error: unknown) => {
    if (restoreFailure(error, base) === undefined || request.spec.signal?.aborted) throw error
    // A base that cannot be restored is removed and made again.
    await request.store.remove(base.key)
    return startOver(make, await provideLayer(request, height - 1))
  })
  return makeLayer(make, machine, step)
}
