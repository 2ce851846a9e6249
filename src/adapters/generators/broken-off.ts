import { ProviderError } from '../../ports/provider-error.ts'
import type { GenerationRequest } from '../../ports/text-generator.ts'

/** What is of use of an answer that broke off, trimmed. Throws ProviderError where nothing is. */
export function brokenOff(provider: string, text: string, mayBreakOff: GenerationRequest['mayBreakOff']): string {
  const whole = mayBreakOff === 'after a line' ? text.slice(0, text.lastIndexOf('\n') + 1) : text
  const used = mayBreakOff === undefined ? '' : whole.trim()
  if (used === '') throw new ProviderError(provider, 'cut_off')
  return used
}
