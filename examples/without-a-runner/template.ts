import { Template } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'

const template = await Template.build(await linuxGuest(), {
  prepare: (vm) => vm.run('mkdir -p /srv && seq 1000 >/srv/numbers'),
})

await using first = await template.start({ name: 'first' })
await using second = await template.start({ name: 'second' })

const sorted = await template.extend({ prepare: (vm) => vm.run('sort -n -r /srv/numbers >/srv/sorted') })
await using third = await sorted.start({ name: 'third' })
console.log(`${third.name} begins with ${(await third.run('head -n 1 /srv/sorted')).stdout.trim()}`)

await first.run('rm /srv/numbers')
const { stdout } = await second.run('wc -l </srv/numbers')
console.log(`${second.name} has ${stdout.trim()} lines`)
