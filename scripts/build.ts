import { build } from 'rolldown'

import { buildOptions } from './build-options.ts'

await build(buildOptions)
