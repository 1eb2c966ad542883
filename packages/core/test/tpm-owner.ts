/** Process that owns a machine with a TPM, prints the pid of QEMU, and waits until it is killed. */
import { arbitraryArgs, tpm, VM } from '../dist/index.js'

// `-S`: the CPUs are stopped.
const vm = await VM.boot({ firmware: 'bios-256k.bin', arch: 'x86_64', devices: [tpm(), arbitraryArgs('-S')] })
console.log(vm.pid)
await vm.waitForExit()
