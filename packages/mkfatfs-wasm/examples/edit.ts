import { editFatImage } from 'mkfatfs-wasm'

await editFatImage('esp.img', async (image) => {
  await image.writeFile('loader/loader.conf', 'timeout 0') // adds or replaces
  await image.rename('EFI/BOOT/BOOTX64.EFI', 'EFI/BOOT/OLD.EFI')
  await image.makeDirectory('EFI/tools')
  await image.remove('EFI/BOOT')
})
