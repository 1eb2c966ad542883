import { expectTypeOf } from 'vitest'
import type { ColdbootMeta } from './augmentation.ts'
import { expect, hostRoot, linuxGuest, rootfs, test, type VM, type VMOptions } from './index.ts'
import { coldboot } from './plugin.ts'

test('the fixtures are typed', async ({ vm, bootVM, vmOptions, task }) => {
  expectTypeOf(vm).toEqualTypeOf<VM>()
  expectTypeOf(vmOptions).toEqualTypeOf<VMOptions>()
  expectTypeOf(bootVM).toEqualTypeOf<(options?: VMOptions) => Promise<VM>>()
  expectTypeOf(task.meta.coldboot).toEqualTypeOf<ColdbootMeta | undefined>()
})

test('the matchers are typed', async ({ vm }) => {
  expectTypeOf(expect(vm).toEventuallyPrint('login: ', { timeout: 1, view: 'raw' })).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect(vm).not.toEventuallyPrint([/a/, 'b'])).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect(vm).toHavePrinted(/a/)).toEqualTypeOf<void>()
  const awaited = [
    expect(vm).toPrintInOrder(['a', /b/, ['c', /d/]], { timeout: 1 }),
    expect(vm).toBoot({ until: 'login: ' }),
    expect(vm).not.toPanic({ message: /sysrq/, timeout: 1 }),
    expect(vm).toExit({ code: 33, reason: 'guest-reset' }),
    expect(vm).toRun(['ls', '-l'], { exitCode: 1, stderr: /such/, cwd: '/', via: 'shell' }),
    expect(vm).toRunSuccessfully('true'),
    expect(vm).toHaveFile('/a', /b/, { timeout: 1 }),
    expect(vm).toHaveFile('/a', Uint8Array.of(1)),
    expect(vm).toMatchScreenshot({ name: 'x', mask: [{ x: 0, y: 0, width: 1, height: 1 }], maxDiffPixels: 3 }),
    expect(vm.terminal).toShowText('a', { timeout: 1 }),
    expect(vm).not.toShowText(/a/, { ocr: true }),
    expect(vm).toMatchBootLog({ normalizers: [[/a/, 'b'], (log) => log], keep: ['times'], from: /a/, hint: 'x' }),
  ]
  expectTypeOf(awaited).toEqualTypeOf<Promise<void>[]>()
  // @ts-expect-error there is no such reason
  void expect(vm).toExit({ reason: 'boredom' })
  // @ts-expect-error the exit code is always 0
  void expect(vm).toRunSuccessfully('true', { exitCode: 1 })
  // @ts-expect-error a pattern is a string or a regular expression
  void expect(vm).toEventuallyPrint(1)
  // @ts-expect-error there is no such option
  void expect(vm).toEventuallyPrint('a', { timeut: 1 })
})

test('a matcher is refused for a value that is not a machine', async ({ vm, bootVM }) => {
  // @ts-expect-error the output is a string
  void expect(vm.output).toEventuallyPrint('login: ')
  // @ts-expect-error the function was not called
  void expect(bootVM).toBoot()
  const anything = JSON.parse('{}')
  expectTypeOf(expect(anything).toBoot()).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect(anything as unknown).toBoot()).toEqualTypeOf<Promise<void>>()
  expectTypeOf(expect<VM | undefined>(vm).toBoot()).toEqualTypeOf<Promise<void>>()
})

test('a guest must be awaited before it is spread', async ({ bootVM }) => {
  void bootVM({ ...(await linuxGuest()), memory: '1G' })
  /* oxlint-disable typescript/no-misused-promises -- the mistake that is tested */
  // @ts-expect-error a promise has no options
  void bootVM({ ...linuxGuest(), memory: '1G' })
  // @ts-expect-error a promise has no options
  void bootVM({ ...rootfs('image.tar') })
  // @ts-expect-error a promise has no options
  void bootVM({ ...hostRoot() })
  /* oxlint-enable typescript/no-misused-promises */
})

// @ts-expect-error devices cannot be sent to the workers
coldboot({ vm: { devices: [] } })
coldboot({ vm: { memory: '512M', kernelArgs: 'quiet', pool: true } })

const megabytes = 512
test.override('vmOptions', { memory: '512M' })
test.override('vmOptions', { memory: `${megabytes}MiB` })
// @ts-expect-error a space before the unit
test.override('vmOptions', { memory: '512 MB' })
test.override('vmOptions', async () => ({ kernel: 'vmlinuz' }))
// @ts-expect-error memory is text with its unit
test.override('vmOptions', { memory: 512 })

const extended = test.extend<{ greeting: string }>({
  greeting: async ({ vm }, use) => {
    expectTypeOf(vm).toEqualTypeOf<VM>()
    await use(vm.name)
  },
})

extended('test.extend adds custom fixtures', ({ greeting, vm }) => {
  expectTypeOf(greeting).toEqualTypeOf<string>()
  expectTypeOf(vm).toEqualTypeOf<VM>()
})
