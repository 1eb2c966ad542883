export function inTheGuest() {
  return 'ran in the guest'
}

export function inTheTest() {
  return 'ran in the test'
}

export function nowhere() {
  return 'ran nowhere'
}

if (process.argv[2] === 'guest') console.log(inTheGuest())
