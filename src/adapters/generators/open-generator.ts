import type { GeneratorSettings } from '../../config.ts'
import type { TextGenerator } from '../../ports/text-generator.ts'
import { GeminiGenerator } from './gemini-generator.ts'
import { OpenAiCompatibleGenerator } from './openai-compatible-generator.ts'

/** The model of a configuration. Nothing is loaded or asked before the first call. */
export function openGenerator(settings: GeneratorSettings): TextGenerator {
  return settings.kind === 'gemini' ? new GeminiGenerator(settings) : new OpenAiCompatibleGenerator(settings)
}
