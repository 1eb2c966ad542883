import { MkfatfsError, mkfatfs } from 'mkfatfs-wasm'

try {
  await mkfatfs('./photos', 'card.img')
} catch (error) {
  if (!MkfatfsError.is(error)) throw error
  console.log(error.code)
  console.log(error.offenders)
}
