import { expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../test/scripted-machine.ts'
import { toMatchBootLog } from './boot-log/to-match-boot-log.ts'
import { toHaveFile } from './file/to-have-file.ts'
import { toMatchScreenshot } from './screenshot/to-match-screenshot.ts'
import { toBoot } from './to-boot.ts'
import { toExit } from './to-exit.ts'
import { toPanic } from './to-panic.ts'
import { toPrintInOrder } from './to-print-in-order.ts'

test.for([
  ['toBoot', toBoot, []],
  ['toExit', toExit, []],
  ['toPanic', toPanic, []],
  ['toPrintInOrder', toPrintInOrder, [['a']]],
  ['toHaveFile', toHaveFile, ['/a', 'b']],
  ['toMatchBootLog', toMatchBootLog, []],
  ['toMatchScreenshot', toMatchScreenshot, []],
] as const)('%s refuses an unknown option, and options that are not an object', async ([name, matcher, args]) => {
  const context = { ...contextOf(), toMatchSnapshot: () => ({ pass: true, message: () => '' }) }
  const { vm } = scriptedMachine({ match: MATCH })
  const judge = (options: unknown): Promise<unknown> => Reflect.apply(matcher, context, [vm, ...args, options])
  await expect(judge({ wihtin: 1 })).rejects.toMatchObject({
    code: 'UNKNOWN_OPTION',
    message: expect.stringMatching(new RegExp(`^${name} has no option \`wihtin\`\nIts options are .*\`timeout\``)),
  })
  await expect(judge({ timout: 1 })).rejects.toThrow(`${name} has no option \`timout\`; did you mean \`timeout\`?`)
  await expect(judge(1_000)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})
