// Text for the fonts that every PDF reader has: they hold Western European letters (Windows-1252) and nothing else.

const BEYOND_LATIN1 = '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ'

const IN_WORDS: Readonly<Record<string, string>> = {
  '≥': '>=',
  '≤': '<=',
  '−': '–',
  '→': '->',
}

/** The text with what the fonts lack put in other words: a letter without its accents, else a question mark. */
export function printable(text: string): string {
  return [...text.normalize('NFC')].map(printableCharacter).join('')
}

function printableCharacter(character: string): string {
  const inWords = IN_WORDS[character]
  if (inWords !== undefined) return inWords
  if (isInFont(character)) return character
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return ' '
  const plain = [...character.normalize('NFKD')].filter(isInFont).join('')
  return plain || '?'
}

function isInFont(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return (
    (code >= 0x20 && code < 0x7f) ||
    (code >= 0xa0 && code <= 0xff) ||
    BEYOND_LATIN1.includes(character)
  )
}
