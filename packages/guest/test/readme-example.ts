import { VM } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'

await using vm = await VM.start({
  ...(await linuxGuest({
    files: { '/opt/hello.sh': '#!/bin/sh\necho "hello $1"\n' },
    modules: ['vfat'],
    init: ['ip addr add 10.0.0.1/24 dev lo'],
  })),
})
vm.send('/opt/hello.sh world\n')
await vm.expect('hello world')
