// Writes docs/reference/settings.md from the declarations of the code; test/docs.test.ts says when it is out of date.
// node scripts/settings.ts
import { mkdir, writeFile } from 'node:fs/promises'
import { SETTINGS } from '../src/settings.ts'

const DIR = new URL('../docs/reference/', import.meta.url)

export function settingsPage(): string {
  const rows = Object.entries(SETTINGS).map(([name, [fallback, meaning]]) => {
    return `| \`${name}\` | ${fallback === '' ? 'unset' : `\`${fallback}\``} | ${meaning} |`
  })
  return [
    '# Settings',
    '',
    'Environment variables, read once at the start. A wrong value stops the start with a line that names it.',
    'This page is generated from `src/settings.ts` by `node scripts/settings.ts`.',
    '',
    '| variable | default | meaning |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

if (import.meta.main) {
  await mkdir(DIR, { recursive: true })
  await writeFile(new URL('settings.md', DIR), settingsPage())
}
