import type { InstructionKind } from '../../model/messages/message-flags.ts'

interface Phrases {
  readonly kind: InstructionKind
  /** For plain text: small letters, single spaces. Every repetition in them is bounded. */
  readonly patterns: readonly RegExp[]
}

const model =
  '(?:ai|a\\.i\\.|llm|large language model|language model|ai model|model|chatbot|claude|chatgpt|gpt|gemini|copilot|assistant|agent)s?'
const person = '(?:the |your |any )?(?:users?|humans?|owners?|operators?|person|anyone|anybody|developers?|people)'
const ignore =
  "(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|es|ing)|bypass(?:ing)?|(?:do not|don't|stop|cease|no longer) (?:follow|obey|comply with|adhere to|listen to|following|obeying)|pay no (?:attention|heed) to|set aside|throw out|discard|supersedes?|replaces?|cancels?|invalidates?)"
const orders =
  '(?:instructions?|prompts?|directives?|directions|guidelines?|guardrails|rules|orders|commands|constraints|restrictions|polic(?:y|ies)|programming|training|safety|system message)'
const former =
  '(?:previous|previously|prior|above|earlier|preceding|former|foregoing|existing|original|initial|current|past|old|system|safety|other|your|every|everything|all|any|ethical|security|developer|these|those|given)'

/** What is said to a model that is to do something else than what it was asked to. */
export const phrases: readonly Phrases[] = [
  {
    kind: 'override',
    patterns: [
      new RegExp(
        `\\b${ignore}(?: (?:the|of|my|those|these|and|or|with|\\S{1,14})){0,4}? ${former}(?: \\S{1,16}){0,4}? ${orders}\\b`,
        'u',
      ),
      new RegExp(
        `\\b${ignore}(?: \\S{1,14}){0,3}? ${orders} (?:\\S{1,14} ){0,4}(?:above|before|earlier|previously|so far|given|told)\\b`,
        'u',
      ),
      new RegExp(
        `\\b(?:ignore|disregard|forget|discard|override)(?: \\S{1,12}){0,2}? (?:everything|anything|all|whatever|what)(?: \\S{1,12}){0,3}? (?:above|before|previously|prior|earlier|so far|told|said|instructed|learned|know)\\b`,
        'u',
      ),
      /\b(?:ignore|disregard|forget) (?:all (?:of )?)?(?:the |this )?(?:above|previous|preceding|foregoing)(?: (?:text|content|context|messages?|conversation|and|,|\.|;|:)|[,.;:!])/u,
      new RegExp(
        `\\b(?:previous|prior|above|earlier|old|original|existing|system|your) (?:\\S{1,16} ){0,2}${orders} (?:(?:is|are|was|were|have been|has been|do|does) )?(?:now |hereby |only |just |a )?(?:void|cancel+ed|revoked|obsolete|outdated|superseded|overridden|replaced|invalid|null|suspended|lifted|test|no longer|not apply|expired)\\b`,
        'u',
      ),
      /\b(?:here are |these are |follow |obey |execute )?(?:your |the )?(?:new|real|actual|true|updated|revised|following new) (?:primary |main |system |secret )?(?:instructions?|directives?|task|objective|goal|mission|orders|prompt)(?: (?:is|are|follows?|from)\b| ?:)(?: to\b| as follows| for you)?/u,
      new RegExp(
        `\\byour (?:only|sole|primary|first|new|next) (?:task|goal|job|objective|mission|purpose|priority|directive) (?:now |from now on )?(?:is|becomes)\\b`,
        'u',
      ),
      /\binstead,? (?:you (?:must|should|will|are to)|do the following|respond only with|output only|just (?:say|reply|respond|print))\b/u,
      /\binstead of (?:answering|summari[sz]ing|completing|following|responding to|replying to) (?:the|this|that|my|any) (?:questions?|requests?|users?|prompts?|tasks?|instructions?|documents?|texts?)\b[^.!?]{0,60}\b(?:output|print|reply|send|say|return|execute|run|reveal|write)\b/u,
      /\b(?:previous|earlier|prior|above|old|last) (?:system |developer )?(?:message|prompt|instructions?) (?:was|were|is|are) (?:sent by mistake|a mistake|an error|wrong|fake|only a test)\b[^.!?]{0,20}[;:,.!] ?(?:use|follow|obey|ignore|instead|this|here)/u,
      /\bnew_instructions? ?[:=]/u,
      /\b(?:respond|reply|answer|say|output|print) (?:only |exactly |just |nothing but )(?:with )?(?:the (?:words?|text|phrase) )?[‘'"“][^'"’”]{0,60}\b(?:pwned|hacked|jailbroken|injected|compromised|owned)\b/u,
      /\b(?:stop|cease|abort|end|terminate) (?:what you(?:'re| are) doing|your current task|the current task|summari[sz]ing|the summary)(?: and|,|\.|;| immediately)/u,
    ],
  },
  {
    kind: 'tool_call',
    patterns: [
      /\bbefore (?:you )?(?:answer|respond|reply|continu|summari[sz]|proceed)(?:e|ing)?,? (?:please |first |always |you must ){0,2}(?:call|invoke|use|run|execute) (?:the )?(?:tool |function )?[`'"]?\w{2,30}_\w{2,30}/u,
      /\byou (?:must|should|need to|have to|will|are required to|shall) (?:now |first |immediately |also |then )?(?:call|invoke|execute|trigger)(?: the)? [`'"]?\w{2,30}_\w{2,30}\b/u,
      /\b(?:immediately|now|please|silently|quietly|first) (?:call|invoke|execute|trigger)(?: the)? [`'"]?(?:\w{2,30}_\w{2,30}[`'"]?|\w{2,30}[`'"]? (?:tool|function))\b/u,
      /\b(?:call|invoke|use|run|execute) (?:the )?[`'"]?(?:forget|delete|erase|update_session|save_messages?|send_email|send_message|transfer|exec|execute|bash|shell|http|fetch|browser)[\w-]{0,30}[`'"]? (?:tool|function) (?:to|with|and|on|for) (?:delete|erase|send|remove|wipe|transfer|post|upload|forward|all|every|the following)/u,
      /\b(?:delete|erase|wipe|purge|forget) (?:all|every|the entire) (?:of )?(?:the |your |user's |stored |saved )?(?:sessions?|memor(?:y|ies)|conversations?|histor(?:y|ies)|messages)\b/u,
    ],
  },
  {
    kind: 'secrecy',
    patterns: [
      new RegExp(
        `\\b(?:do not|don't|never|must not|should not|without) (?:ever )?(?:tell(?:ing)?|inform(?:ing)?|notify(?:ing)?|alert(?:ing)?|warn(?:ing)?|let) ${person}\\b`,
        'u',
      ),
      new RegExp(
        `\\b(?:do not|don't|never|must not|without) (?:ever )?(?:mention|reveal|disclos|show|display|acknowledg|report)(?:e|ing)?(?: \\S{1,16}){0,4}? (?:to|in front of) ${person}\\b`,
        'u',
      ),
      /\b(?:do not|don't|never) (?:mention|reveal|disclose|acknowledge|refer to) (?:this|these|that you|the (?:existence|presence) of)(?: \S{1,14}){0,3}? ?(?:instructions?|message|note|prompt|text|comment|section|request|received|were told)/u,
      new RegExp(
        `\\b(?:hide|conceal|keep) (?:this|it|these|that|what)(?: \\S{1,14}){0,4}? (?:from ${person}|secret|hidden)\\b`,
        'u',
      ),
      /\b(?:act|behave|continue|carry on|proceed|respond) as (?:if|though) (?:nothing (?:happened|changed)|this (?:message|note|instruction) (?:was|were|did|does) n(?:ot|ever))/u,
    ],
  },
  {
    kind: 'exfiltration',
    patterns: [
      /\b(?:reveal|print|repeat|output|show|display|leak|disclose|share|give|tell|paste|dump|recite|write out|return|expose|include)(?: me| us| back| out)?(?: \S{1,14}){0,4}? (?:system prompt|system message|initial prompt|initial instructions|hidden instructions|hidden prompt|secret instructions|your instructions|your prompt|instructions (?:above|verbatim|you were given)|(?:your|all|the user's|user's|any|every|stored) (?:\S{1,14} ){0,2}?(?:api keys?|credentials|passwords?|secrets|private keys?|access tokens?|environment variables|ssh keys?))\b/u,
      /\b(?:repeat|print|output|write(?: out)?|copy|recite) (?:me )?(?:all (?:of )?)?(?:the |every )?(?:text|words|everything|content|lines|tokens|sentences) (?:that (?:is|are) )?(?:above|before|preceding)\b[^!?]{0,60}\b(?:verbatim|starting with|beginning with|code block|word for word|exactly|in full)/u,
      /\b(?:reveal|disclose|leak|expose|print|dump) your (?:full |whole |entire |internal |hidden )?(?:configuration|system settings|rules|guidelines|instructions)\b/u,
      /\b(?:send|post|upload|forward|exfiltrate|transmit|e-?mail|submit|deliver)\b[^.!?]{0,40}\b(?:conversations?|chat history|chat logs?|memory|memories|credentials|passwords?|secrets|private keys?|personal data|user data)\b[^.!?]{0,30}\b(?:to|at|into|via) (?:the following|this|my|our) (?:webhook|address|url|endpoint|server|e-?mail|bucket|domain)/u,
      /\bwhat (?:is|are|was|were) your (?:system prompt|initial (?:prompt|instructions)|hidden (?:prompt|instructions)|exact instructions)\b/u,
      /\b(?:send|post|upload|forward|exfiltrate|transmit|e-?mail|leak|submit|deliver|copy|append|encode)\b[^.!?]{0,80}\b(?:conversations?|chat history|chat logs?|history|memory|memories|api keys?|credentials|passwords?|secrets?|tokens?|environment variables|private keys?|ssh keys?|\.env|personal data|user data|files?|contacts?|inbox)\b[^!?]{0,60}\b(?:to|at|into|via)\b[^!?]{0,30}(?:https?:\/\/|ftp:\/\/|[\w.+-]{1,60}@[\w-]{1,60}\.)/u,
      /!\[[^\]\n]{0,100}\]\(https?:\/\/[^)\s]{1,200}[?&/=][^)\s]{0,120}(?:\{\{?|\$\{?|<|%7b|\[)(?:\w|-|_| ){2,40}/u,
      /!\[[^\]\n]{0,100}\]\(https?:\/\/[^)\s]{1,200}[?&][\w-]{0,30}=?[^)\s]{0,80}(?:secret|password|token|api_?key|conversation|history|memory|exfil|leak|stolen)/u,
      /\b(?:fetch|load|visit|open|navigate to|request|browse to|curl|wget)\b[^.!?]{0,40}https?:\/\/\S{1,200}[?&][\w-]{1,30}=[^\s]{0,40}(?:\{\{?|\$\{|<|\[)(?:\w|-| ){0,40}(?:data|secret|password|token|key|history|memory|conversation|prompt|content|summary)/u,
    ],
  },
  {
    kind: 'persona',
    patterns: [
      /\byou (?:are|will be|have become|shall be) (?:now |henceforth |from now on )?(?:dan\b|stan\b|an? (?:unrestricted|unfiltered|uncensored|jailbroken|evil|amoral|unaligned|rogue)|in (?:developer|god|sudo|jailbreak|dan|unrestricted|admin|root|override) mode|no longer (?:bound|restricted|limited|constrained|an? (?:ai|assistant|language)|claude|chatgpt|gpt|required|subject)|free (?:from|of) (?:all |any |your )?(?:restrictions|rules|constraints|limits|filters|guidelines|now)|not bound|unrestricted|free now)/u,
      /\b(?:enter|enable|activate|switch (?:in)?to|engage|unlock|turn on) (?:the )?(?:developer|god|dan|jailbreak|sudo|unrestricted|admin(?:istrator)?|root|override|unfiltered) (?:mode|access|override)\b/u,
      /\b(?:pretend|imagine|act|behave|respond|answer|roleplay|role-play)(?: \S{1,12}){0,4}? (?:you have no|there are no|without any|with no|have no|no longer have)(?: \S{1,14}){0,3}? (?:restrictions|rules|limits|limitations|guidelines|filters|constraints|ethics|censorship|safety)/u,
      /\b(?:act|behave|respond|function|operate|answer) as (?:an? |the )?(?:completely |fully |totally )?(?:unrestricted|unfiltered|uncensored|jailbroken|amoral|unaligned|rogue|evil) (?:ai|llm|assistant|model|agent|chatbot|version)/u,
      /\bdo anything now\b|\bjailbroken\b/u,
      /\bfrom now on,? (?:you (?:are|will (?:act|respond|answer|obey|only|always)|must (?:obey|act|only|always))|obey|answer only|respond only|act as)\b/u,
    ],
  },
  {
    kind: 'addressed_to_model',
    patterns: [
      /(?:^|[.!?>#*-] ?)(?:ai|llm) (?:agents?|assistants?|models?|readers?|crawlers?) ?[:,!-]{1,2} (?:please|you|run|execute|ignore|do|always|never|reply|add|include|send|call|visit)\b/u,
      new RegExp(
        `\\b(?:attention|note|notice|message|instructions?|important|warning|reminder|directive|alert|memo|guidance|read this) ?[:,!-]? ?(?:to|for) (?:all |any |the |every )?(?:\\S{1,12} )?${model}(?: (?:agents?|assistants?|models?|systems?|readers?|crawlers?))?(?: (?:reading|processing|that|who|parsing|only)\\b| ?[:,.!-])`,
        'u',
      ),
      new RegExp(
        `\\b(?:attention|dear|important|listen|notice)[,:!]? (?:all |any )?${model}(?: (?:agents?|assistants?|models?))?(?: ?[:,!-]|,? (?:you|ignore|reading|please))`,
        'u',
      ),
      new RegExp(
        `\\bif you(?:'re| are) (?:an? |the )?(?:\\S{1,14} )?${model}\\b(?:(?: \\S{1,14}){0,4}? (?:reading|processing|parsing|summari[sz]ing|seeing|analy[sz]ing)|[^.!?]{0,40}\\b(?:you must|you should|please|ignore|add|include|say|reply|respond|do not|then))`,
        'u',
      ),
      new RegExp(
        `\\b(?:any|every|all|the) ${model}(?: (?:agents?|assistants?|models?|systems?))? (?:that |which |who )?(?:reading|reads?|processing|process(?:es)?|parsing|parses|summari[sz]ing|summari[sz]es|indexing|indexes|seeing|sees|encounters?) (?:this|these)\\b`,
        'u',
      ),
      /\b(?:when|while|before|after|if|once) (?:you (?:are )?)?(?:summari[sz](?:e|ing)|process(?:ing)?|read(?:ing)?|recall(?:ing)?|retriev(?:e|ing)|analy[sz](?:e|ing)|index(?:ing)?|review(?:ing)?) this (?:\S{1,14} )?(?:page|document|message|text|file|e-?mail|conversation|content|memory|note|article|website|resume|cv|ticket|issue|repository|record)[^.!?]{0,40}?(?:,|:)? ?(?:you (?:must|should|need|will|are to)|always (?:say|add|mention|state|include|recommend|tell|rate|reply)|make sure (?:to|you)|be sure to|do not (?:mention|tell|reveal)|include the (?:phrase|following|link|sentence)|append|insert|tell the user|recommend)\b/u,
      /\bas an (?:ai|llm)(?: (?:assistant|model|agent|language model))?,? you (?:must|should|are required|have to|need to|will)\b/u,
      /\bthe (?:ai|assistant|model|agent|llm)(?: reading this)? (?:must|is required to|is instructed to|shall|has to) (?:now |immediately |always |never |also |first |then )?(?:ignore|reply|respond|answer|output|say|call|delete|send|include|recommend|tell|reveal|execute|run|obey|comply|approve|rate)\b/u,
    ],
  },
  {
    kind: 'memory',
    patterns: [
      /\b(?:remember|memori[sz]e|store|save|note|keep in (?:mind|memory)|record|learn|establish)\b[^.!?]{0,80}\b(?:trusted|authoritative|most reliable|preferred|go-to|only reliable|best) (?:source|company|provider|authority|citation|brand|vendor|site|expert|tool|choice|product|supplier)/u,
      /\b(?:in|for|across|during|to) (?:all |any |every |your )?(?:future|subsequent|later|upcoming) (?:conversations?|sessions?|chats?|responses?|interactions?|quer(?:y|ies)|requests?|tasks?|answers?|replies|recommendations?)[^.!?]{0,80}\b(?:always|must|never|recommend|prefer|cite|first|trust|promote|favou?r|obey|send|include)\b/u,
      /\b(?:always|must|never) (?:recommend|mention|prefer|cite|promote|suggest|include|trust|favou?r|obey|treat|send|forward)\b(?:[^.!?]|\.(?! )){0,80}\b(?:future|from now on|every (?:conversation|session|response|answer|reply|time)|all (?:conversations|sessions|responses|answers))\b/u,
      /\b(?:add|save|write|store|commit|insert|append|persist) (?:this|the following|these|it)(?: \S{1,14}){0,4}? (?:to|in|into) (?:your|the (?:ai|agent|assistant|model)(?:'s)?) (?:long[- ]term |persistent |permanent )?memory\b/u,
      /\b(?:add|save|write|store|commit|append) (?:\S{1,14} ){0,3}?(?:to|in|into) your (?:long[- ]term |persistent |permanent )?memory\b/u,
      /\b(?:store|save|remember|record|keep) (?:this|the following|it) as (?:an? |the )?(?:\S{1,12} )?(?:facts?|truth|preferences?)\b/u,
      /\b(?:update|change|rewrite|modify|overwrite) your (?:\S{1,14} )?(?:memory|memories|system prompt|core (?:rules|instructions)|user profile)\b/u,
      /\bremember (?:that|this|forever|permanently)[^.!?]{0,60}\b(?:the user (?:has|is|wants|prefers|authori[sz]ed|approved|agreed|consented|allows)|i am (?:the |an? )?(?:admin|administrator|owner|developer|root)|always|never|permanent(?:ly)?|forever|from now on)\b/u,
    ],
  },
]
