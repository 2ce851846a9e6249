import { isSupposed } from '../../learning/meant/doubt.ts'

const example =
  /^\W*(?:(?:and|so|but|or|now|thus|then|as),? )?(?:(?:for )?(?:example|instance)|e\.\s?g\.|say,|suppose|imagine|let['’]s say|z\.\s?b\.|zum beispiel|par exemple|p\.\s?ex\.|por ejemplo|например)(?![\p{L}\p{N}])|^\W*(?:比如|例如|たとえば|例えば|예를 들어)|[,;(–—-]\s*(?:for (?:example|instance)|e\.\s?g\.),? [^.]*\b(?:could|would|might|wanted)\b/iu
/** What might be done if somebody wanted it. */
const offer =
  /^\W*(?:or |and |but )?(?:e\.\s?g\. )?if you(?:['’]d| would| ever| also)* (?:want(?:ed)?|like|prefer(?:red)?|wish|need(?:ed)?)\b/iu

/** Whether a sentence gives an example, or offers what might be done: not how things stand. */
export function isExample(sentence: string): boolean {
  return example.test(sentence) || offer.test(sentence)
}

const left =
  /\b(?:to-?do|next steps?|next(?= (?:is|are)\b)|up next|remain(?:s|ing)|still (?:needs?|have|has|to|open|missing|fails?|failing)|pending|follow[- ]?up|blocked (?:by|on|until)|waiting (?:for|on)|not yet|left to|(?:fix|add|do|check|test|finish|decide) (?:\S+ ){1,3}later)\b|^\W*(?:and |so )?next[,:]|(?<!\p{L})(?:als nächstes|nächste[rn]? schritt|noch (?:offen|zu)|muss noch|müssen|fehlt noch|prochaine étape|il faut|reste à|à faire|siguiente paso|hay que|falta|pendiente|дальше|осталось|нужно|надо)(?!\p{L})|下一步|接下来|还需要|待办|次に|必要が|残り|다음|해야/iu
/** That somebody who works at it, or a thing, has to: `you need to` is advice. */
const due =
  /(?<!\p{L})(?:i|we|it|they|this|that|there|(?:the|this|that|our|my) (?:\S+ ){1,3}|you (?:still|now))(?:['’]ll)? ?(?:still |also |now |then |next )*(?:needs? (?:to|a|an|the|more)|have to|has to|must(?! have been)|should)(?!\p{L})/iu
/** What is wished, or said to cheer somebody up. */
const smallTalk =
  /\b(?:hope|wish|dreams?|can['’]?t wait|looking forward|good luck|proud|excited|love to|take care|deserve|maybe|keep (?:it )?up|awesome|amazing)\b/iu

/** Whether a sentence says what is still to be done. */
export function saysWhatIsLeft(sentence: string): boolean {
  if (isExample(sentence)) return false
  const found = left.exec(sentence) ?? due.exec(sentence)
  if (found === null || smallTalk.test(sentence)) return false
  return !isSupposed({
    before: sentence.slice(0, found.index),
    own: '',
    behind: sentence.slice(found.index + found[0].length),
  })
}
