import { cliPage } from './cli-page.ts'
import { configurationPage } from './configuration-page.ts'
import { conformancePage } from './conformance-page.ts'
import { limitsPage } from './limits-page.ts'
import { toolsPage } from './tools-page.ts'

/** Every page of the documentation that is made from the code: its path in the repository, and its text. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/tools.md', toolsPage()],
    ['docs/configuration.md', configurationPage()],
    ['docs/limits.md', limitsPage()],
    ['docs/cli.md', await cliPage()],
    ['docs/conformance.md', conformancePage()],
  ])
}
