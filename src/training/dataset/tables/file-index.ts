// Finds the image that a table means: by its path, by the end of its path, or by its bare name, whatever the case, the
// ending or the Unicode form. A name that fits two images joins neither.

const MAX_PARTS = 6

export type FileIndex = (named: string, folder: string) => string | undefined

export function fileIndex(images: readonly string[]): FileIndex {
  const known = new Set(images)
  const byEnd = new Map<string, string | null>()
  for (const image of images) {
    const parts = keyOf(image).split('/')
    for (let count = 1; count <= Math.min(parts.length, MAX_PARTS); count++) {
      const end = parts.slice(-count).join('/')
      byEnd.set(end, byEnd.has(end) ? null : image)
    }
  }
  return (named, folder) => {
    const path = named.replaceAll('\\', '/').replace(/^\.?\//, '')
    if (path === '') return undefined
    if (known.has(folder + path)) return folder + path
    if (known.has(path)) return path
    const parts = keyOf(path).split('/')
    // The longest end that any image has decides, so that a longer path is never given up for a shorter one.
    for (let count = Math.min(parts.length, MAX_PARTS); count > 0; count--) {
      const found = byEnd.get(parts.slice(-count).join('/'))
      if (found !== undefined) return found ?? undefined
    }
    return undefined
  }
}

function keyOf(path: string): string {
  return path
    .normalize('NFC')
    .toLowerCase()
    .replace(/\.[a-z]{3,5}$/, '')
}
