// Writes docs/reference/hyperparameters.md from the declarations. node scripts/hyperparameters.ts
import { writeFile } from 'node:fs/promises'
import { settingsDocument } from '../src/training/settings-document.ts'

const FILE = new URL('../docs/reference/hyperparameters.md', import.meta.url)
await writeFile(FILE, settingsDocument())
