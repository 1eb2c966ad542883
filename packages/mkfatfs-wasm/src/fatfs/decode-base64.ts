/** Decodes base64. Uses a loop, because a callback per byte takes longer than compiling a small module. */
export function decodeBase64(text: string): Uint8Array {
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index)
  return bytes
}
