import type { InstructionKind } from '../../model/messages/message-flags.ts'

interface Marks {
  readonly kind: InstructionKind
  /** For a text as it stands. Every repetition in them is bounded. */
  readonly patterns: readonly RegExp[]
}

/** What parts the turns of a conversation in the form in which models get it, calls of tools, and our own fence. */
export const markers: readonly Marks[] = [
  {
    kind: 'role_marker',
    patterns: [
      /<\|(?:im_start|im_end|system|user|assistant|endoftext|end_of_text|eot_id|eom_id|start_header_id|end_header_id|begin_of_text|channel|message|start|return|call|endofprompt)\|>/iu,
      /\[\/?INST\]|<<\/?SYS>>|<(?:start|end)_of_turn>|<\/?s>\s{0,4}\[INST/u,
      /<\/?(?:system|system[-_]prompt|system[-_]message|system[-_]instructions?|admin[-_]?(?:override|instructions?)?|developer[-_](?:message|instructions?)|assistant[-_](?:instructions?|directive))>/iu,
      /(?:^|\\n|["'*>/-])[\s#>*_[(<-]{0,8}(?:system|developer|admin(?:istrator)?|root|anthropic|openai)[ _-]?(?:prompt|message|override|instructions?|notice|update|alert|directive|command)s?[\s\])>*_-]{0,6}:/imu,
      /(?:^|\\n|["'*>/-])[\s#>*_[(<-]{0,8}system[\s\])>*_]{0,6}:[\s*_]{0,4}(?:you (?:are|must|will|should|have)|ignore|new|from now|always|never)\b/imu,
      /(?:^|\\n|["'*>/-])\s{0,4}#{1,6} {0,2}(?:system|new system prompt|instructions? (?:for|to) (?:the )?(?:ai|assistant|model|agent))\s{0,4}:?\s{0,2}(?:$|\\n)/imu,
      /(?:^|\n)#{2,4} Instruction:\s{0,4}(?:\n|\\n)/u,
      /[-=#*]{2} {0,2}END OF (?:USER|DOCUMENT|CONTEXT|TOOL|SYSTEM) {0,2}(?:INPUT|MESSAGE|OUTPUT|DATA|PROMPT|QUERY)? {0,2}[-=#*]{2}/u,
      /(?:\n|\\n){2}Human: [\s\S]{1,400}(?:\n|\\n){2}Assistant:/u,
      /\{\s{0,4}\\?"role\\?"\s{0,4}:\s{0,4}\\?"(?:system|developer)\\?"\s{0,4},\s{0,4}\\?"content\\?"\s{0,4}:/u,
    ],
  },
  {
    kind: 'tool_call',
    patterns: [
      /<(?:antml:)?(?:function_calls?|tool_calls?|tool_use|tool_code|tool_results?|tool_response|function_results?|function_response)>|<(?:antml:)?invoke name=|<\|(?:tool|python_tag|tool_call|tool_calls_begin)/iu,
      /\{\s{0,4}\\?"type\\?"\s{0,4}:\s{0,4}\\?"(?:tool_use|tool_call|function_call|tool_result)\\?"/u,
      /\bto=functions\.\w{1,40}|\[TOOL_CALLS\]|^Action: {1,4}\w{1,40}\s{0,4}\nAction Input:/mu,
    ],
  },
  {
    kind: 'fence',
    patterns: [
      /<\/?recorded\b[^>\n]{0,80}>/iu,
      /\((?:system|owner|user|developer), trust: owner\b|^Recorded conversation data\./imu,
      /<\/(?:untrusted|external|retrieved|search)[-_]?(?:data|content|text|results?)?>|\bEND OF (?:UNTRUSTED|EXTERNAL|RETRIEVED|RECORDED) (?:DATA|CONTENT|TEXT)\b/iu,
    ],
  },
]
