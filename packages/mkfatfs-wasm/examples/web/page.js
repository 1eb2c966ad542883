import { MkfatfsError, mkfatfs } from 'mkfatfs-wasm/web'

const drop = document.querySelector('#drop')
const status = document.querySelector('#status')

drop.addEventListener('dragover', (event) => event.preventDefault())
drop.addEventListener('drop', (event) => {
  event.preventDefault()
  // The list of dropped items is empty after the event.
  void makeImage([...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()))
})

async function makeImage(entries) {
  try {
    const image = await mkfatfs({ files: filesIn(entries), label: 'DROPPED' })
    const link = document.createElement('a')
    link.href = URL.createObjectURL(await image.toBlob())
    link.download = 'disk.img'
    link.click()
    status.textContent = `${image.type}, ${image.size} bytes, ${image.files} files`
  } catch (error) {
    if (!MkfatfsError.is(error)) throw error
    status.textContent = error.message
  }
}

async function* filesIn(entries, parent = '') {
  for (const entry of entries) {
    const path = parent + entry.name
    if (entry.isFile) {
      yield { path, contents: await new Promise((resolve, reject) => entry.file(resolve, reject)) }
    } else {
      yield { path: `${path}/` }
      yield* filesIn(await childrenOf(entry), `${path}/`)
    }
  }
}

async function childrenOf(directory) {
  const reader = directory.createReader()
  const all = []
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return all
    all.push(...some)
  }
}
