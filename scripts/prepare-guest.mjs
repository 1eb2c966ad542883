// @ts-check
/** Downloads the kernel of the guest unless it exists, and shows the progress. The last line names the kernel. */
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
