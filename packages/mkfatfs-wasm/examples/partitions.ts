import { mkfatfs } from 'mkfatfs-wasm'

const disk = await mkfatfs({
  partitionTable: 'gpt', // or 'mbr', 'hybrid'
  partitions: [
    { directory: './esp', label: 'EFI', partitionType: 'efi', partitionName: 'System', size: '64M' },
    { files: { 'notes.txt': 'hello' }, label: 'DATA' }, // the rest of the image
  ],
  size: '256M',
})
await disk.toFile('disk.img')
for (const { label, offset, size } of disk.volumes) console.log(label, offset, size)
