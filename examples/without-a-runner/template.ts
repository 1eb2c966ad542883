import { Template } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'

const template = await Template.build(await linuxGuest(), {
  prepare: (vm) => vm.run('mkdir -p /srv && seq 1000 >/srv/numbers'),
})

await using first = await template.start({ name: 'first' })
await using second = await template.start({ name: 'second' })
await first.run('rm /srv/numbers')
const { stdout } = await second.run('wc -l </srv/numbers')
console.log(`${second.name} has ${stdout.trim()} lines`)
