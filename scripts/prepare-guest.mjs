// @ts-check
/** Fetches the guest's kernel unless it is there, telling how far it is; the last line says which kernel it is. */
import { basename, dirname } from 'node:path'
import { ColdbootError } from '@coldboot/core'
import { prepareLinuxGuest } from '@coldboot/guest'

try {
  const { kernel } = await prepareLinuxGuest({
    onProgress: ({ message, fraction }) =>
      console.error(fraction === undefined ? message : `${message} ${Math.round(fraction * 100)} %`),
  })
  console.log(`guest: ${process.env['COLDBOOT_KERNEL'] ? kernel : basename(dirname(kernel))}`)
} catch (error) {
  if (!ColdbootError.is(error)) throw error
  console.error(error.message)
  process.exitCode = 1
}
