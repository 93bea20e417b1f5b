// Text of a DICOM file in its Specific Character Set (PS3.3 C.12.1.1.2) as Unicode. With code extensions (ISO 2022) the
// escape sequences say which set follows.

/** Encoding Standard labels of the sets without extensions. */
const SINGLE: Readonly<Record<string, string>> = {
  'ISO_IR 100': 'iso-8859-1',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'windows-1254',
  'ISO_IR 203': 'iso-8859-15',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
}

/** Empty for undefined; what cannot be decoded becomes the replacement character. */
export function decodeText(bytes: Uint8Array | undefined, sets: readonly string[]): string {
  if (!bytes) return ''
  const text = new TextDecoder(encodingOf(bytes, sets)).decode(bytes)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken out
  return text.replaceAll(/\u001b[$()-]*[A-Z0-9]/g, '').replace(/[\0 ]+$/, '')
}

function encodingOf(bytes: Uint8Array, sets: readonly string[]): string {
  const raw = Buffer.from(bytes).toString('latin1')
  if (raw.includes('\u001b$)C')) return 'euc-kr'
  if (raw.includes('\u001b$)A')) return 'gbk'
  if (raw.includes('\u001b$B') || raw.includes('\u001b(J') || raw.includes('\u001b(I')) {
    return 'iso-2022-jp'
  }
  const named = sets.map((set) => set.trim().replace('ISO 2022 IR', 'ISO_IR'))
  const first = named.find((set) => Object.hasOwn(SINGLE, set))
  return (first && SINGLE[first]) ?? 'utf-8'
}
