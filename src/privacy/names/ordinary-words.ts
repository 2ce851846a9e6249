const wordsOf = (words: string) => new Set(words.split(/\s+/u).filter((word) => word !== ''))

/** Who takes part and is nobody: roles, models, and tools, in the words of several languages. */
const nobodies = wordsOf(
  `user users human assistant agent agents system developer tool tools function model bot ai llm event import unknown custom admin root reviewer
  coder tester planner critic orchestrator supervisor summarizer summariser executor retriever researcher gpt chatgpt openai anthropic
  gemini gemma llama mistral mixtral qwen deepseek grok copilot codex cursor perplexity ollama haiku sonnet opus node python grep glob bash zsh sh npm git
  curl web http https sql api db mcp rag cli ide todo todowrite str exec fs fetch browser webfetch websearch terminal docs inbox helpdesk
  read write edit multiedit task plan search view run shell
  пользователь ассистент система модель бот агент разработчик инструмент utilisateur assistante système modèle benutzer nutzer assistent
  entwickler werkzeug modell usuario asistente sistema modelo herramienta usuário ferramenta utente assistente strumento gebruiker
  用户 用戶 助手 助理 系统 系統 模型 工具 客服 机器人 機器人 ユーザー アシスタント システム モデル ツール ボット 사용자 어시스턴트 시스템 모델 도구 봇 المستخدم مستخدم
  المساعد مساعد النظام نظام उपयोगकर्ता सहायक सिस्टम ผู้ใช้ ผู้ช่วย ระบบ`,
)
/** Names that are words, or models, as well: written small they are these. */
const wordsAsWell = wordsOf(
  `claude grace mark chase drew pat hope faith joy dawn will may april june august bill rose max art frank rich rob jack penny ruby crystal amber
  jasmine daisy lily ivy iris violet olive ginger sandy summer autumn heather melody harmony charity mercy patience prudence jade pearl gem
  dean duke earl king prince grant lance miles nick pierce ray rusty skip stone wade ward warren woody hunter carter mason cooper
  baker cook young long short white black brown green gray grey wood hill lake field bush church chance chuck cliff clay dale glen`,
)
const nameTags = /^(?:Person|FirstName|MaleName|FemaleName|LastName)$/u
/** Of a word that no lexicon has: what the words for those who do something end in, which agents are called by. */
const ofDoers = /..(?:er|or|bot|agent|ist)s?$/u

/** What a word is for the lexicon: a name, an ordinary word, or neither. */
export type WordClass = 'name' | 'ordinary' | 'unknown'

/** Whether a name is that of a role, a model or a tool: `Bash`, `GPT-4o`. */
export function isOfNobody(name: string): boolean {
  const words = name.split(/[\s._-]+/u).filter((word) => /\p{L}{2}/u.test(word))
  return words.length > 0 && words.every((word) => nobodies.has(word.toLowerCase()))
}

/** Tells names from ordinary English words by the lexicon of compromise (24,000 words), and by a list of what takes part and is nobody. */
export async function openWordClasses(): Promise<(word: string) => WordClass> {
  const { default: nlp } = await import('compromise')
  const lexicon = memberOf(memberOf(nlp.model(), 'one'), 'lexicon')
  return (word) => {
    const small = word.toLowerCase()
    if (nobodies.has(small) || wordsAsWell.has(small)) return 'ordinary'
    const tags = memberOf(lexicon, small)
    if (tags !== undefined) return [tags].flat().some(isNameTag) ? 'name' : 'ordinary'
    return ofDoers.test(small) ? 'ordinary' : 'unknown'
  }
}

function isNameTag(tag: unknown): boolean {
  return typeof tag === 'string' && nameTags.test(tag)
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}
