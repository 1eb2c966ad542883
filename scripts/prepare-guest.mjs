// @ts-check
/** Fetches the guest's kernel unless it is there; the last line of the output says which one it is. */
console.log('guest kernel: not yet')
