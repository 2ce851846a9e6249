/* Which lines are commands of a shell, with a prompt or without: a sentence that names one is none. */

/** Programs whose names begin no sentence as a word of it. */
const programs =
  'alias|ansible(?:-playbook)?|apk|apt(?:-get|-cache)?|aws|az|brew|bundle|bunx?|cargo|chmod|chown|composer|conda|cp|crontab|curl|deno|df|diff|docker(?:-compose)?|dotnet|du|env|esbuild|eslint|export|ffmpeg|flutter|gcc|gcloud|gh|git|gradle|grep|gunzip|gzip|helm|heroku|java|javac|journalctl|jq|kubectl|ln|lsof|mongosh|mvn|mysql|nano|nc|netstat|ng|node|nslookup|nx|npm|npx|nvm|openssl|php|pip[x3]?|pnpm|podman|poetry|ps|psql|pytest|python[23]?|rails|rake|redis-cli|rg|rsync|ruby|rustup|sbt|scp|sed|sqlite3|ssh|sudo|systemctl|tar|terraform|tsc|tsx|uv|uvicorn|vercel|vim?|vite|vitest|wget|wrangler|xargs|yarn|yum'
/** What begins a sentence, too, unless one of its commands follows. */
const go = String.raw`go(?= (?:(?:build|clean|env|fmt|generate|(?:mod|work) \w+|test|version|vet)$|(?:build|clean|doc|env|fmt|generate|get|install|list|mod|run|test|tool|vet|work)\b.* (?:-|\S*[./@])))`
/** They take no command in words. */
const withoutCommands = /^(?:alias|curl|df|diff|du|env|export|grep|java|javac|nano|nc|node|ps|python[23]?|ruby|vim?)$/u
/** They take a number, or a name with a hyphen. */
const numeric = /^(?:chmod|chown|kill|nc|nvm|pkill|sleep)$/u
const ofNames = /^(?:bunx?|chown|cp|ln|np[mx]|pnpm|scp|ssh|sudo|systemctl|uv|yarn)$/u
/** Programs that take what is plain words after their names. */
const ofFiles = 'cd|echo|ls|mkdir|mv|printf|pwd|rm|rmdir|[.]{1,2}/[\\w./-]+'
/** Programs that are words, too. */
const words =
  'awk|bash|cat|cut|date|file|find|head|install|jest|kill|less|make|more|ping|pkill|read|set|sh|sleep|sort|source|split|tail|tee|test|time|top|touch|watch|which|zsh'
const doing =
  /\s(?:add|apply|attach|audit|branch|build|checkout|ci|clean|clone|commit|compose|config|create|delete|deploy|describe|destroy|dev|diff|down|exec|fetch|fmt|format|get|help|images|import|info|init|inspect|install|kill|lint|list|log|login|logs|ls|merge|migrate|mod|network|new|outdated|plan|ps|publish|pull|push|rebase|release|reload|remove|reset|restart|restore|revert|rm|rollout|run|scale|search|serve|show|stash|start|status|stop|switch|sync|tag|test|top|uninstall|up|update|upgrade|version|volume)(?=\s|$)/u
const command = new RegExp(
  String.raw`^(?:[$%#❯➜>] +)?(?:[A-Z_][A-Z\d_]*=\S+ +)*(?:sudo (?:-\w+ )*)?(?:(?<program>${programs}|${go})|(?<ofFiles>${ofFiles})|(?<word>${words}))(?= |$)(?<rest>.*)$`,
  'u',
)

/** A program that is not known, by how it is called. */
const called =
  /^(?:[$%#❯➜>] +)?(?!(?:thanks|thank|thx|cheers|regards|best|love|yours|use|try|add|pass|run|set|with|need|see|via|like|e\.g\.)\b)[a-z][\w.+-]*(?<rest>(?: [a-z][\w:.-]*){0,2} --?[a-zA-Z].*)$|^(?:Add|Disable|Enable|Export|ForEach|Get|Import|Install|Invoke|New|Remove|Select|Set|Start|Stop|Test|Update|Where|Write)-[A-Z]\w+(?<more>(?: .*)?)$/u

const quoted = /"[^"]*"|'[^']*'/gu
const flag = /(?:^|\s)-{1,2}[a-zA-Z][\w-]*(?=[\s=]|$)/u
const joined = /\s(?:&&|\|\|?|2>&1)\s|\s(?:>>?|<)\s+\S*[./&$~]\S*|\s\d?>>?[&\w/.~$]|\s&$|\s\\$/u
/** Paths, addresses, versions and whatever else is no word. */
const sign =
  /(?:^|\s)(?:\.{1,2}(?=\s|$)|[./$*{[+%]\S|~\/|\S*(?:[\d=_*"]|\/\S|\S\/|\w@\w|\w:\w)\S*)|(?:^|\s)[\w.-]+\.[a-z]{1,5}(?=\s|$)/u
const hyphened = /(?:^|\s)\S*\w-\w\S*/u
/** Numbers, versions, dates and times, which sentences have as well: not the addresses of hosts. */
const number =
  /(?<=\s)(?!\d+\.\d+\.\d+\.\d+)[~^<>=≥≤#v(+-]*\d[\d.,:/–-]*[+%x€$)]?(?:st|nd|rd|th|ms|s|min|h|d|k|am|pm|gb|mb)?\)?(?=[\s,;]|$)/giu
/** What those that are words are given as commands: a path from its beginning, or a setting. */
const argument = /^\s+(?:\.{1,2}(?=[\s/]|$)|[/$[+*"]|~\/|[A-Z_]+=)/u
const often = /^(?:cut|date|find|more|read|set|split|test|time|top|watch|which)$/u
/** What a sentence says of a program: a command has neither its verbs nor its small words. */
const spoken =
  /(?:^|\s)(?:an?|the|is|are|was|were|be|been|and|or|but|to|of|for|with|its?|this|that|these|those|not|no|do(?:es)?|did|ha[sd]|have|can(?:not)?|could|should|would|will|\p{L}+n['’]t|when|if|because|after|before|while|until|then|again|still|also|now|here|there|only|instead|already|always|never|we|i|you|they|he|she|my|our|your|me|us|please|as|at|by|in|on|over|per|under|about|into|from|than|so|too|very|everywhere|everybody|everyone|today|tomorrow|later|soon|first|rules|names|notes|messages|hooks|conventions?|history|polic(?:y|ies)|problems?|issues?|im|bis|nur|überall|jetzt|heute|und|oder|ist|sind|war|nicht|kein|der|die|das|den|eine?|mit|auf|von|für|wir|ich|auch|aber|el|la|los|las|una?|es|son|con|para|por|que|le|les|est|pas|et|avec|pour|(?:break|change|complain|crash|die|exit|fail|finish|freeze|give|hang|keep|look|need|pass|print|report|return|run|say|seem|show|start|stop|succeed|take|throw|wait|want|work)(?:s|es|ed|ped|d)|hung|broke|took|said|gave|ran)(?=[\s,.;:!?]|$)/iu
const ended = /[\p{L}\p{N})"'`][.!?…:,]["')]?\s*$/u
/** Plain words that a program is given at most. */
const plainMax = 3

/** Whether a line, without the mark of an item before it, is a command. */
export function isCommand(line: string): boolean {
  const found = (command.exec(line.trim()) ?? called.exec(line.trim()))?.groups
  if (found === undefined) return false
  if (found['more'] !== undefined) return !spoken.test(found['more']) && !ended.test(found['more'])
  const rest = (found['rest'] ?? '').replaceAll(quoted, '""')
  if (spoken.test(rest) || ended.test(rest) || /\p{Lo}/u.test(rest)) return false
  if (flag.test(rest) || joined.test(rest)) return true
  const plain = rest.split(/\s+/u).filter((word) => /^\p{L}[\p{L}’']*$/u.test(word)).length
  if (plain > plainMax) return false
  const program = found['program']
  const word = found['word']
  const name = program ?? word ?? ''
  const told = numeric.test(name) ? rest : rest.replaceAll(number, '')
  if (word !== undefined) return plain === 0 && (often.test(word) ? argument.test(told) : isSign(told))
  if (sign.test(told) || (hyphened.test(told) && (plain === 0 || ofNames.test(name)))) return true
  if (found['ofFiles'] !== undefined) return plain < plainMax
  return doing.test(rest) && !withoutCommands.test(name)
}

const isSign = (rest: string): boolean => sign.test(rest) || hyphened.test(rest)
