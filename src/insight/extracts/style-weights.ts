import type { Role } from '../../model/messages/message.ts'
import type { SummaryStyle } from '../../model/summary-style.ts'
import { type DecisionCertainty, decisionIn } from './cues/decision-cues.ts'
import { isExample, saysWhatIsLeft } from './cues/next-step-cues.ts'

/** What a sentence says about itself, apart from its rank among the others. */
export interface SentenceCues {
  readonly decision: DecisionCertainty
  readonly nextStep: boolean
  readonly question: boolean
  readonly reference: boolean
  /** Tells what might be, to explain something. */
  readonly example: boolean
  /** Says nothing by itself: thanks, applause, a line that only introduces what follows, an offer of help. */
  readonly filler: boolean
}

const question = /[?？؟]\s*["'”’)»」』]*$/u
/** A path, a file name, a URL, an error by name or code, a version or another identifier. */
const reference =
  /(?:^|[\s(`"'])(?:[\w.@-]*\/[\w./@-]+|[\w-]+\.(?:[cm]?[jt]sx?|py|rs|go|java|rb|php|cs?|cpp|h|sql|sh|json|ya?ml|toml|md|html?|css|txt|log|env)\b)|\b(?:[A-Z][a-z]+)*(?:Error|Exception)\b|\b(?:E[A-Z]{3,}|[A-Z]{2,}[-_]?\d{2,}|0x[0-9a-f]+)\b|`[^`]+`/u

const filler =
  /^(?:wow|thanks?|thank you|great|awesome|amazing|cool|nice|congrat\w*|hi|hello|hey|bye|ok(?:ay)?|sure|certainly|of course|yeah?|yes|no|absolutely|you'?re welcome|sounds|that'?s (?:great|awesome|amazing|cool|so)|good (?:luck|morning|night)|danke|gern|hallo|merci|bonjour|gracias|hola|спасибо|привет)\b|\blet me know\b|\bfeel free\b|\bhope (?:this|that) helps\b|^#{1,6}\s|^\*\*[^*]+\*\*:?$|^here(?:'s| is| are)\b|[:：]$|^谢谢|^你好|^ありがとう|^감사/iu

export function cuesOf(sentence: string, role: Role): SentenceCues {
  return {
    decision: decisionIn(sentence, role),
    nextStep: saysWhatIsLeft(sentence),
    question: question.test(sentence),
    example: isExample(sentence),
    reference: reference.test(sentence),
    filler: filler.test(sentence),
  }
}

/** Whether a sentence says what was decided, and not only what may have been. */
export function isDecided({ decision }: SentenceCues): boolean {
  return decision >= 0.7
}

/** A tool's output is long, repeats itself and was said by nobody; instructions of the system are not the conversation. */
const roleWeights: Readonly<Record<Role, number>> = {
  user: 1.15,
  assistant: 1,
  system: 0.3,
  developer: 0.3,
  tool: 0.15,
  custom: 0.15,
}

/** An example that is given is not how things stand. */
const exampleWeight = 0.3

/** Factor for a sentence's rank; 0 keeps it out. `recency` runs from 0 for the oldest sentence to 1 for the newest. */
export function styleWeight(
  style: SummaryStyle,
  of: { readonly role: Role; readonly cues: SentenceCues; readonly recency: number },
): number {
  const { cues, recency } = of
  // Only a list of decisions tells those apart that are sure.
  const decided = isDecided(cues) ? 1 : cues.decision
  const base = roleWeights[of.role] * (cues.filler ? 0.25 : 1)
  switch (style) {
    case 'brief':
      return base * (cues.question ? 0.6 : 1) * (1 + 0.5 * decided)
    case 'detailed':
      return base * (cues.question ? 0.8 : 1) * (1 + 0.2 * decided)
    case 'decisions':
      return base * cues.decision * (cues.nextStep ? 1.1 : 1)
    case 'handoff': {
      if (cues.example) return base * exampleWeight * (0.4 + 1.6 * recency ** 2)
      const said =
        1 + (cues.nextStep ? 0.8 : 0) + 0.5 * decided + (cues.question ? 0.4 : 0) + (cues.reference ? 0.5 : 0)
      return base * said * (0.4 + 1.6 * recency ** 2)
    }
    default:
      return style satisfies never
  }
}

/** Sentences a style gives at most, whatever the budget. */
export function sentencesMaxOf(style: SummaryStyle): number {
  switch (style) {
    case 'brief':
      return 6
    case 'handoff':
      return 24
    case 'decisions':
      return 40
    case 'detailed':
      return 80
    default:
      return style satisfies never
  }
}
