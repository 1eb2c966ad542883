import { mkfatfs } from 'mkfatfs-wasm'

const made = await mkfatfs('./esp', 'esp.img', {
  label: 'EFI',
  type: 'fat32', // or 'fat12', 'fat16'; the default is 'auto': FatFs chooses by the size
  partitionTable: 'gpt', // or 'mbr', 'hybrid', 'none'
  partitionType: 'efi',
  size: '64M', // or bytes; the default is 'fit': as small as the directory allows
})
console.log(`${made.type}, ${made.size} bytes, ${made.files} files`)
