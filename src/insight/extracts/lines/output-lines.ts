/* Which lines a program has printed, though many of them read like sentences. */

/** Programs that say what is wrong in a line that begins with their names. */
const complaining = String.raw`(?:[\w./-]*/)?(?:(?:ba|z|da|fi|k)?sh|apt|apt-get|awk|brew|cargo|cat|cc1|cd|chmod|chown|clang|cp|curl|docker|find|collect2|gcc|git|go|gpg|grep|java|javac|jq|kubectl|ld|ln|ls|make|mkdir|mv|mysql|nginx|node|npm|perl|pip|psql|python3?|rm|rmdir|rsync|rustc|scp|sed|ssh|sshd|sudo|systemctl|tar|touch|tsc|unzip|wget|xargs|zip)`
const complaint = String.raw`(?:.*: |\*\*\*|.*\b(?:not found|no such|cannot|can't|could not|unable|denied|failed|invalid|unrecognized|unknown|missing|refused|nothing to)\b)`
const codes =
  'ENOENT|EACCES|EADDRINUSE|ECONN[A-Z]+|EPERM|ETIMEDOUT|ENOTFOUND|EEXIST|EPIPE|ERESOLVE|ELIFECYCLE|EISDIR|EMFILE|EBUSY|EINVAL|ENOTEMPTY|ERR_[A-Z_]+'

/** What went wrong, as runtimes and compilers say it: by the class of an error, or by its code. */
const errors = pattern(
  String.raw`(?:\S+:\d+: |E +)?(?:Uncaught |Unhandled |Caused by: |Fatal )?(?:[a-z]\w*\.)*(?:(?:[A-Z]\w*)?Error|[A-Z]\w+(?:Exception|Warning|Interrupt|Panic))(?: ?\[\w+\])?: \S`,
  String.raw`(?:[a-z]\w*\.){2,}[A-Z]\w*: |(?:${codes})(?::| )\S*`,
  String.raw`(?:error|warning|fatal|panic|failure)(?:\[\w+\]|\([\w, ]+\)| [A-Z]+\d+)?: \S|(?:ERROR|FATAL|PANIC|FAIL)(?: \d+)?(?: \(\w+\))?: +\S|E: \S|(?:ORA|SQLSTATE)[-[]\w+`,
  String.raw`(?:Fatal|Parse|Syntax|Compile|Runtime) error: \S|[\w+.-]+: (?:fatal error|error|warning|fatal): |undefined reference to ['\x60]|expected (?:true|false|null|undefined|NaN|promise|spy|\S*[^\p{L}\s'’]\S*) to (?:equal|be|deeply equal|contain|match)\b|Unable to (?:connect|locate|resolve|find|open|read|write|load)\b.*: (?:.*[\d/_'"(]|.*\b(?:not found|no such|cannot|could not|unable|denied|failed|invalid|unknown|missing|refused|timeout)\b)|Connection (?:to \S+ )?(?:closed|refused|reset|timed out)(?: by (?:(?:the )?(?:peer|(?:remote |foreign )?host|remote|server|client)|(?:\w+ user \S+ )?\S*[\d.:]\S*\w)(?: port \d+)?(?: \[\w+\])?)?\.?$|\d+ (?:errors?|warnings?)(?: and \d+ warnings?)? (?:generated|found)\.?$|[✖✕✗] \d+ problems?\b|\d+:\d+\s+(?:error|warning)\s|● .* › `,
  String.raw`${complaining}(?:\[\d+\])?: ${complaint}`,
  String.raw`(?:Uncaught|Unhandled) (?:\(in promise\)|[A-Z]\w*Error|exception|rejection)|Exception in thread |thread '[^']*' panicked|Segmentation fault(?: \(|$)|Bus error|Aborted \(core|Killed$|Error response from daemon|.*\(core dumped\)$`,
  String.raw`(?:Process|Command|Program|Container|Job)\b[^.]{0,80}\b(?:exited|failed|terminated|finished) with (?:exit )?(?:code|status) \d+\.?$|exit (?:code|status):? ?-?\d+$|\S.{0,60}: (?:command not found|No such file or directory|Permission denied)$`,
)

/** What version control prints. */
const versions = pattern(
  String.raw`On branch \S+$|Your branch (?:is (?:up to date|ahead of|behind)|and ')|nothing to commit(?:,| \(|$)|nothing added to commit(?:$| but )|no changes added to commit|(?:Changes (?:not staged for commit|to be committed)|Untracked files):$|\(use "git |HEAD (?:is now at [\da-f]{7,}|detached (?:at|from) \S+$)|Switched to (?:a new )?branch '|Already (?:up[ -]to[ -]date\.?$|on ')|Everything up-to-date$|Cloning into '`,
  String.raw`(?:remote|Receiving objects|Resolving deltas|Counting objects|Compressing objects|Writing objects|Enumerating objects): |Auto-merging \S+$|CONFLICT \(|Automatic merge failed(?:[;:.]|$)|Fast-forward$|Updating [\da-f]{7,}\.\.|\[\S+(?: \(root-commit\))? [\da-f]{7,}\] |(?:create|delete) mode \d{6} |\d+ files? changed(?:$|, \d+ (?:insertion|deletion)s?\()|To \S+:\S+$|[\da-f]{7,}\.\.[\da-f]{7,} |\* \[new |!? *\[(?:remote )?rejected\]|commit [\da-f]{40}|Author: .*<|(?:modified|new file|deleted|renamed|both modified): +\S+$`,
)
/** What tests and builds print. */
const builds = pattern(
  String.raw`(?:PASS|FAIL|RUNS?|FAILED|PASSED|SKIP) +\S*(?:[A-Za-z]\S*[./:\d]|[./:]\S*[A-Za-z])|ok\s+\S+\s+\(?(?:cached|[\d.]+s)|(?:not )?ok \d+ - |(?:---|===) ?(?:PASS|FAIL|RUN|SKIP|PAUSE|CONT)\b|(?:Tests?|Test Suites?|Test Files|Snapshots):? +\d+ (?:passed|failed|skipped|todo|total)|Duration +[\d.]+ ?m?s\b|Start at +\d|Time: +[\d.]+ ?m?s\b|={3,} .* ={3,}$|[✓✔✗✘×√] .*\(?\d+ ?m?s\)?$`,
  String.raw`\d+ (?:passed|passing|failed|failing|skipped|pending)(?:,? \d+ \w+)*(?: \(.*\)| in [\d.]+.*)?$|Ran (?:\d+ tests?\b.* in [\d.]|all test suites)|running \d+ tests?$|test \S+ \.\.\. (?:ok|ignored|FAILED|bench)|test result: |collected \d+ items?(?:$| [/(])|\S+::\S+ (?:PASSED|FAILED|ERROR|SKIPPED)|OK \(\d+ tests?|[\w.-]+/\S+ (?:created|configured|unchanged|deleted|patched|restarted|scaled)$|(?:Apply|Destroy) complete!|Plan: \d+ to add, \d|BUILD (?:SUCCESSFUL|FAILED|SUCCESS|FAILURE)|> Task :`,
  String.raw`(?:added|removed|changed|audited) \d+ packages?(?:, (?:and )?(?:added|removed|changed|audited) \d|$| in \d| from \d)|found \d+ vulnerabilities|up to date, audited|Successfully (?:installed|built|tagged) \S*[\d:]|Collecting \S+[=<>~\d]\S*$|Requirement already satisfied: |Downloading \S+ \(\d|Installing collected packages: |(?:Reading package lists|Building dependency tree|Reading state information) ?(?:\.{2,}|…|$)|(?:Get|Hit|Ign):\d+ |(?:Setting up|Unpacking) \S+ \(\d|Selecting previously unselected package |Preparing to unpack \S`,
  String.raw`(?:Compiling|Finished|Downloaded|Checking) \S+ (?:v\d|\[|profile)|Step \d+/\d+ : |#\d+ (?:\[|\d|DONE|CACHED)|---> |Sending build context to Docker daemon(?: +[\d.]|$)|Removing intermediate container [\da-f]|=> (?:\[|CACHED)|webpack \d[\d.]* compiled|vite v\d|(?:Server |App )?(?:[Ll]istening|[Rr]unning|[Ss]tarted|[Rr]eady) (?:on|at) (?:https?://|port |:)\S+$|\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d\S* (?!\S+(?: \S+)?: )\S`,
)
/** What is listed and measured: files, requests, trees, tables. */
const listed = pattern(
  String.raw`total \d+(?: [d-][rwx-]{9}|$)|[dlcbps-](?:[r-][w-][xsStT-]){3}[.+@]?\s+\d|HTTP/\d(?:\.\d)? \d{3}|(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /\S* (?:HTTP/|\d{3}(?: \d| -|$| in )|->|→)|[<>*] (?:HTTP/|GET /|POST /)|(?:Content-Type|Content-Length|Authorization|Accept|User-Agent|Cache-Control|Set-Cookie): \S+$|Host: (?:localhost|\S+[.:]\S+)$`,
  String.raw`[├└│┌┐╭╰┃┏┗]|.*[│┃] |[+][-+=]{3,}|\d{1,3}%\s*[|[█]|PING \S+ \([\d.:a-f]+\)|\d+ bytes from \S+(?: \(\S+\))?: |.* - - \[|0x[\da-f]{6,}[: ]|(?:[\d*/,-]+ ){5}\S*/|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$|\d{1,3}(?:\.\d{1,3}){3}\s+[\w.-]+$|[\w.@"'-]+(?:,[\w.@"'/:-]*){2,}$`,
)

/** Who speaks says so: programs hardly ever do. */
const speaking =
  /(?<![\p{L}\p{N}"'`./_-])(?:we|I|my|our|us|let['’]s|(?:we|I)['’]\p{L}+|wir|ich|mein\p{L}*|unser\p{L}*|nous|notre|nos|je|nosotros|nuestr[oa]s?|decidimos)(?![\p{L}\p{N}"'`/_=(-]|\.[\p{L}\p{N}])/u
/** When something was or will be, as people say it. */
const whenSaid =
  /\b(?:today|yesterday|tomorrow|tonight|(?:this|last|next) (?:week|month|year|night)|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|heute|gestern|morgen)\b/u
/** Words in a row up to the end of a sentence, where it begins with a small letter: what programs print begins so too, but has no full stop. */
const smallSentence = /: \p{Ll}[\p{L}\p{N}’', -]+[.!]$/u
const smallWords = /(?: \p{Ll}[\p{Ll}’']*,?){4}/u
/** A further sentence, unless it is the advice that programs add to an error. */
const further =
  /[.!]["')”]? +(?!(?:Please (?:check|contact|ensure|install|make sure|provide|refer|report|run|see|specify|try|upgrade|use|verify)|Check|Consider|Did|Ensure|Expected|For more|Hooks|If|It (?:may|might|looks)|Make sure|Received|Run|See|This (?:can|could|error|happens|is|may|might|usually)|The (?:command|container|following|operation|process|requested)|To|Tried|Try|Use|You)\b)\p{Lu}[\p{L}’']*,?(?: [\p{L}\p{N}’'./-]+,?){0,8}?(?: \p{Ll}[\p{Ll}’']*,?){2}(?![\p{L}’'])[^.!?]*[.!]?$/u

/** Columns, as tables of programs have them: gaps that end no sentence. */
const gap = /(?<![.!?…]["')”’])[^\s.!?:;,] {2,}(?=\S)|\S\t+(?=\S)/gu
const wideGap = /\S(?: {3,}|\t+)\S/u
const gapsMin = 2
const narrowGapsMin = 3
/** Small words behind which no column ends, and some with which none begins: the gaps are those of justified text, or of somebody's typing. */
const acrossGap =
  /(?:^|\s)(?:[Aa]n?|[Tt]he|[Tt]h(?:is|at|ese|ose)|of|to|[Ii]n|[Oo]n|[Aa]t|[Ff]or|[Ww]ith|per|from|by|and|or|but|[Ii]f|because|is|are|was|were|be|ha[sd]|have|will|can|must|should|not|[Ww]e|I|[Yy]ou|[Tt]hey|[Ss]?[Hh]e|[Ii]t|[Mm]y|[Oo]ur|[Yy]our|[Ii]ts|[Dd](?:er|ie|as|en|em)|[Ee]ine?[nmrs]?|und|oder|ist|sind|wir|[Ww]ir|[Ii]ch|mit|für|von|zu|auf|[EeLl]l|[Ll]a|[Ll]e|[Ll]es|[Ll]os|de|du|des|et|est|y|que|con|para|pour|avec)(?: {2,}|\t+)\S|\S(?: {2,}|\t+)(?:and|but|because|that|which|of|is|are|was|were|ha[sd]|will|must|should|und|oder|weil|dass|ist|sind)\s/u
const ended = /\p{Ll}{2}[.!?]\s*$/u

function pattern(...sources: readonly string[]): RegExp {
  return new RegExp(`^(?:${sources.join('|')})`, 'u')
}

/** Whether a line that begins as an error does was written by somebody: programs do not say "we". */
const isSaid = (line: string): boolean =>
  speaking.test(line) || (whenSaid.test(line) && ended.test(line)) || further.test(line)

/** Whether a line is what a program has printed. */
export function isOutput(line: string): boolean {
  const own = line.trim()
  if (/\p{L}\?$/u.test(own)) return false
  if (errors.test(own)) return !isSaid(own) && !(smallSentence.test(own) && smallWords.test(own))
  if ([versions, builds, listed].some((printed) => printed.test(own))) return !isSaid(own)
  const gaps = own.match(gap)?.length ?? 0
  return gaps >= (wideGap.test(own) ? gapsMin : narrowGapsMin) && !ended.test(own) && !acrossGap.test(own)
}
