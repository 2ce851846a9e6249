import { writeFile } from 'node:fs/promises'

import { generatedPages } from './docs/pages.ts'

/** Writes the generated pages; a house test fails where one of them is not up to date. */
for (const [path, text] of await generatedPages()) await writeFile(new URL(`../${path}`, import.meta.url), text)
