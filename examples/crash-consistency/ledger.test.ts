import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { blockDevice, expect, linuxGuest, test as machines, type VM } from '@coldboot/vitest'

const test = machines.extend<{ disk: string }>({
  disk: async ({ onTestFinished }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const disk = join(folder, 'disk.img')
    execFileSync('/sbin/mkfs.ext4', ['-q', disk, '64M'])
    await use(disk)
  },
})

/** Times of the power cuts: after a number of further records, plus a number of milliseconds. */
const CUTS = [
  [1, 0],
  [3, 20],
  [1, 40],
  [5, 60],
] as const

/** The records on the disk. A power cut may leave the file `new` behind, which is not a record. */
async function readRecords(vm: VM): Promise<ReadonlyMap<number, string>> {
  const { stdout } = await vm.run('cd /mnt && for file in record-*; do echo "$file=$(cat $file)"; done')
  const lines = stdout.matchAll(/^record-(\d+)=(.*)$/gm)
  return new Map([...lines].map(([, number, text = '']) => [Number(number), text]))
}

test('has each stored record, and no torn one, after power cuts', { timeout: 300_000 }, async ({ bootVM, disk }) => {
  const guest = await linuxGuest({ modules: ['virtio_blk', 'ext4'], files: { '/bin/ledger': { source: 'ledger.sh' } } })
  const vm = await bootVM({ ...guest, devices: [blockDevice(disk)], template: 'off' })
  await vm.run('mount /dev/vda /mnt')
  const stored = new Set<number>()
  for (const [records, milliseconds] of CUTS) {
    vm.send('cd /mnt && ledger\n')
    for (let count = 0; count < records; count++) await vm.expect(/stored \d+\n/)
    await setTimeout(milliseconds)
    await vm.powerCut()
    for (const [, number] of vm.output.matchAll(/^stored (\d+)$/gm)) stored.add(Number(number))

    await vm.powerOn()
    await vm.run('mount /dev/vda /mnt')
    const found = await readRecords(vm)
    const lost = [...stored].filter((number) => !found.has(number))
    const torn = [...found].filter(([number, text]) => text !== `paid ${number}: the end of record ${number}`)
    expect({ lost, torn }).toEqual({ lost: [], torn: [] })
  }
})
