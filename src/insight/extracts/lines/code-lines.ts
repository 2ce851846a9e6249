import { isCommand } from './command-lines.ts'
import { isOutput } from './output-lines.ts'

/*
 * Which lines of a text are code, output or data that stands there without a fence. A line is that by its own signs, or where it may be
 * and stands beside one that is. What reads like a sentence is prose.
 */

/** A line is looked at from both ends, so that the cost does not grow with what is one line of a megabyte. */
const headCharacters = 300
const tailCharacters = 80

/** Code that is named within a sentence says nothing of the line. */
const inlineCode = /`[^`]*`/gu

/** Lines that programs print, which may read like sentences. */
const printed = pattern(
  // Stack traces: JavaScript and Java, Python, Go, Rust, .NET.
  String.raw`\s*at (?:(?:async|new) )?(?:[^\s(]+\(.*\)|[^\s(]+(?: \[as \S+\])? \((?:.*:\d+(?::\d+)?|<\w+>|native|index \d+|eval .*)\)|\S*[/\\:]\S*:\d+(?::\d+)?\)?|.* in \S.*:line \d+)\s*$`,
  String.raw`\s*File ".*", line \d+`,
  String.raw`Traceback \(most recent call last\)`,
  String.raw`\s*\.\.\. \d+ (?:common frames|more)`,
  String.raw`goroutine \d+ \[|\s*\S+\.go:\d+ \+0x|\s*--> \S+:\d+:\d+|\s*\d+ \| |\s*\| +\^+`,
  // A shell, and other programs that wait for a command.
  String.raw`\s*(?:\[[\w-]+\] )?\$ [a-z.~/_]\S*|\s*(?:>>>|\.\.\.|PS [A-Z]:\\[^>]*>|[A-Z]:\\[^>]*>) ?\S|\s*[\w.-]+@[\w.-]+[: ]\S*[$#%] `,
  // What a command is run with, and how long it took.
  String.raw`\s*(?:[A-Z][A-Z\d_]+=\S* +)+(?:[.~]{0,2}/\S|(?:bash|bun|cargo|curl|deno|docker|git|go|java|make|node|np[mx]|pnpm|pytest|python3?|sh|sudo|uv|yarn)\s)|.*\d\.\d+s user \d+\.\d+s system `,
  // Lines with their numbers, and what is wrong at one.
  String.raw`\s*\d+→(?!\d)|\s+\d+\t|\s*[\w./\\-]+\.\w+:\d+:\d+:? `,
  // Logs: a time with a level, or the forms of syslog, of klog and of web servers.
  String.raw`\s*\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?:.{0,80}\b(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|TRACE|NOTICE|CRITICAL|SEVERE)\b|(?!\S* [A-Z][a-z]+(?: [A-Z][a-z]+)?: ).{0,80}\b(?:debug|info|warn|error|fatal)\b)`,
  String.raw`\s*\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?\s+\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|TRACE)\b`,
  String.raw`\s*\[(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|TRACE)\]|npm (?:ERR!|error|warn|WARN) |[IWEF]\d{4} \d\d:\d\d:\d\d`,
  String.raw`[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d \S+ [\w./-]+(?:\[\d+\])?:|\S+ \S+ \S+ \[[^\]]+\] "(?:GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS) `,
  // Changes of files.
  String.raw`diff --git |@@ -\d+|(?:---|\+\+\+) [ab]/|index [0-9a-f]{7,}\.\.`,
)

/** Lines of programs and of data, where no sentence begins. */
const written = pattern(
  String.raw`.*\{\s*$|\s*[}\])]+[;,)}\]\s]*$|\s*\} ?(?:else|catch|finally|while)\b|.*[;{].*\}\s*$`,
  String.raw`.*(?:\w\((?!s\)).*\)|=.*|->.*|::.*|\]|\+\+|--)\s*;\s*$`,
  String.raw`\s*(?:return|import|using|package|let|const|var|break|continue|throw|export|namespace|goto|yield|await|delete|new)\b[^.?!]*;\s*$`,
  String.raw`\s*(?://|/\*|\*/|<!--|#include\b|#define\b|#!/|#\[|-- )`,
  String.raw`\s*(?:import|var|const|type) \(\s*$|\s*package [a-z]\w*\s*$`,
  String.raw`\s*(?:export |default |declare |pub )*(?:const|let|var|type|val|mut|auto) [\w{[].*[=:]`,
  String.raw`\s*(?:import|export) .*\bfrom ['"]|\s*import [\w.]+(?: as \w+)?(?:, [\w.]+)*\s*$|\s*from [\w.]+ import `,
  String.raw`\s*(?:export |default |pub |async |static )*(?:def|func|fn|function|class|interface|struct|enum|impl|trait|module)\b\*? ?[\w$.<>]*\s*(?:\(.*|[:{]\s*$|(?:extends|implements) .*)`,
  String.raw`\s*(?:public|private|protected|internal|static|final|abstract|override) [\w<>[\], ]+[({;=]`,
  String.raw`\s*(?:if|else if|while|for|switch|catch|elif) ?\(.*\)\s*(?:[{;].*)?$|\s*(?:elif|if|while) [^,]*(?:==|!=|<=|>=|\bis not\b|\bnot in\b|\w\().*:\s*$|\s*for \w+(?:, \w+)* in \S.*:\s*$|\s*(?:try|else|finally):\s*$|\s*except\b.*:\s*$|\s*with .*\).*\bas \w+:\s*$`,
  String.raw`\s*(?:SELECT\b.*|INSERT INTO |UPDATE \S+ SET |DELETE FROM |CREATE (?:UNIQUE )?(?:TABLE|INDEX|VIEW|FUNCTION|EXTENSION) |ALTER TABLE |DROP (?:TABLE|INDEX) )|\s*select (?=.*[*,;<>=]).+ from \w+`,
  String.raw`\s*(?:for|while|until) .*; ?do(?:\s*$|\b.*\bdone\b)|\s*if \[.*; ?then\b|\s*with \w+ as \(select\b|\s*defmodule \S+ do\s*$|\s*def \w+.*, do: `,
  String.raw`\s*</?[a-zA-Z!][^>]*>(?:.*>)?\s*$`,
  String.raw`\s*@\w+(?:\.\w+)*\(.*\)?\s*$`,
  String.raw`\s*['"][^'"]+['"]\s*:\s*(?:['"\d[{-]|true\b|false\b|null\b|None\b).*$|\s*[[{]\s*\{?["'].*[\]},]\s*$`,
  String.raw`\s*(?:export )?[A-Z][A-Z\d_]{2,}=\S*\s*$`,
  String.raw`\s*[\w$.[\]'"]+ ?(?:[+*/|&-]|:)?= ?(?:.*[)\]}"'\d,(\[]|\w+|[\w.]+)\s*$`,
  String.raw`\s*(?:await |yield |return )?[\w$.]+\((?:[^)]*["'=[{.].*|.*["'=[{.].*\)|\s*|\w+)?\)?[;,]?\s*$`,
)
/** Lines of a query and of what builds an image, after the first, and of languages that have other signs. */
const keyed = pattern(
  String.raw`\s*(?:FROM|(?:LEFT |RIGHT |INNER |OUTER |FULL |CROSS )*JOIN|WHERE|GROUP BY|ORDER BY|HAVING|LIMIT|OFFSET|VALUES|UNION(?: ALL)?|RETURNING|SET|WITH|AND|OR|ON)\b\s*(?:\(.*|[\w.*"]+(?:(?:,|(?: \w+)? (?:AS|ON|DESC|ASC)\b|\s*[=<>(:@]|\s+(?:IN|LIKE|BETWEEN|IS|NOT)\b).*|\s+\w{1,3})?;?)\s*$`,
  String.raw`\s*[a-z-]+:\s[^;.!?]*;\s*$|\s*(?:FROM|COPY|ADD|WORKDIR|EXPOSE|ENTRYPOINT|CMD|HEALTHCHECK|VOLUME|STOPSIGNAL|ONBUILD)\s+\S*[./:\d[\]"=-]|\s*(?:ENV|ARG|LABEL)\s+[\w.]+=?\s*\S+$`,
  String.raw`\s*[\w$.]+(?:\[[^\]]*\])? (?:<-|<<-|:=|%>%|\+=|-=|\*=|=>) \S|\s*lambda\b[\w, ]*: |\s*\(?[\w, {}]*\)? => [^ ]+\(|.*\)\s*=>\s*\S|.*%>%\s*$`,
  String.raw`\s*(?:await |return |yield |print |new |go |defer |!)*[\w$]+(?:(?:\.|::|->|\?\.)[\w$]+)+\(.*\)[;,]?\s*$|\s*\w+\((?=[^)]*["'=[\](\d])\S.*\)[;,]?\s*$`,
  String.raw`\s*for \w+(?:, \w+)* in (?:\w+\(.*\)|[\w.]*[.\[\d]\S*):\s*$|\s*for \(|\s*(?:if|while) \(.*\)\s+(?:return|throw|continue|break)\b.*;\s*$|\s*(?:assert|raise|throw)\b[^.?!]*(?:[=!<>]=|[<>(]).*$|\s*(?:use|mod) \w+::\S+;?\s*$|\s*(?:func|fn|def) \w+\(`,
)
/** A member of data, as YAML and the like have it: several in a row are data. */
const member = /^\s*(?:- )?[a-z_$][\w.$/-]*:(?:\s*|\s+(?:["'[{|>&*!].*|\S*[\d/@:=_.]\S*|[\w-]+))\s*$/u
const membersMin = 3
/** An item of a list in such data. */
const listedData = /^\s*- (?:["'].*["']|[\w.$/-]+: .*|[A-Z_]+=\S+|\S+)\s*$/u
/** It may be code: beside code it is. */
const perhaps = pattern(
  String.raw`(?: {2,}|\t)\S|.*;\s*$|\s*return\b|.*[=(\[{,]\s*$|\s*[\w$.]+\s*:\s*\S+[,;]?\s*$|\s*(?:pass|break|continue|end|fi|done|esac)\s*$|\s*\.\w+\(|\[+[\w."-]+\]+\s*$|@\w+\s*$`,
)
const comment = /^(?<indent>\s*)#(?!#)\s?\S/u

/** Words in a row, as only a sentence has them. */
const sentence = /^\s*["'“(]?\p{L}[\p{Ll}’']*,?(?: \p{Ll}[\p{Ll}’']*,?){3,}(?![\p{L}\p{N}_([{=$])/u
/** What is said between signs, and ends as a sentence does. */
const wording = /\p{Ll}{2}[)"”’]?[.!?:]\s*$|(?:^|[\s"“(])\p{L}\p{Ll}*,? (?:\p{Ll}+,? ){2,}/u
/** Words that stand in a row in code. */
const codeWords =
  /^\s*(?:public|private|protected|internal|static|final|abstract|override|export|default|declare|async|import|from|pub|unsigned|select|for \w+ in [^;]*; do|insert|create|def|class|struct)\b/iu
const ended = /\p{Ll}{2}[.!?]\s*$/u
const beforeCommand = /^\s*(?:(?:[-*+•‣]|\d{1,3}[.)]|\[[ xX]\])\s+|RUN )?/u
const listItem = /^\s*(?:[-*+•‣]|\d{1,3}[.)]|\[[ xX]\])\s+/u

function pattern(...sources: readonly string[]): RegExp {
  return new RegExp(`^(?:${sources.join('|')})`, 'u')
}

type Likeness = 'code' | 'member' | 'perhaps' | 'comment' | 'prose'

/** Signs that code has many of, and words of a sentence few. */
const sign = /[(){}[\]<>=;|&+\\$%^:"']/gu
const heading = /^\s*(?:#{1,6}\s|\*\*|__)/u
const joining =
  /(?:^|\s)(?:if|then|the|is|are|and|or|so|we|of|to|that|this|with|wenn|dann|ist|und|der|die|das|si|entonces|alors|est)\s/iu
const signsMin = 4
const signsShare = 0.2

function likenessOf(whole: string): Likeness {
  if (whole.trim() === '') return 'prose'
  const line =
    whole.length > headCharacters + tailCharacters
      ? `${whole.slice(0, headCharacters)}${whole.slice(-tailCharacters)}`
      : whole
  if (printed.test(line) || isOutput(line) || isCommand(line.replace(beforeCommand, ''))) return 'code'
  if (member.test(line)) return 'member'
  if (listItem.test(line)) return listedData.test(line) && !wording.test(line) ? 'perhaps' : 'prose'
  const plain = line.replaceAll(inlineCode, 'code')
  if (sentence.test(plain) && !codeWords.test(plain)) return 'prose'
  if (wording.test(plain) && ended.test(plain) && /^\s*\p{Lu}+ \p{Ll}/u.test(plain)) return 'prose'
  if (written.test(plain) || (keyed.test(plain) && !wording.test(plain)) || isSigned(plain)) return 'code'
  const commented = comment.exec(plain)
  if (commented !== null) return commented.groups?.['indent'] === '' ? 'comment' : 'perhaps'
  if (perhaps.test(plain)) return wording.test(plain) && !/[;{}=]/u.test(plain) ? 'prose' : 'perhaps'
  return 'prose'
}

/** Whether so much of a line are signs that it is no sentence, where nothing in it reads like one. */
function isSigned(line: string): boolean {
  if (heading.test(line) || joining.test(line)) return false
  const signs = line.match(sign)?.length ?? 0
  return signs >= signsMin && signs >= signsShare * line.trim().length && !wording.test(line) && !/\p{Lo}/u.test(line)
}

/** Of each line whether it is code. */
export function codeAmong(lines: readonly string[]): boolean[] {
  const likeness = lines.map(likenessOf)
  const isCode = likeness.map((one) => one === 'code')
  let members = 0
  for (const [at, one] of likeness.entries()) {
    members = one === 'member' ? members + 1 : 0
    if (members >= membersMin) isCode.fill(true, at + 1 - members, at + 1)
  }
  // Lines of a comment, which begin like items of a list.
  for (const [at, line] of lines.entries())
    if (/^\s*\*(?:\s|$)/u.test(line) && isCode[at - 1] === true && /^\s*(?:\/\*|\*)/u.test(lines[at - 1] ?? ''))
      isCode[at] = true
  // Forwards, then backwards: what may be code is, next to what is. A comment stands above its code.
  for (const [at, one] of likeness.entries()) if (isNear(one) && isCode[at - 1] === true) isCode[at] = true
  for (let at = lines.length - 2; at >= 0; at--)
    if ((isNear(likeness[at]) || likeness[at] === 'comment') && isCode[at + 1] === true) isCode[at] = true
  return isCode
}

const isNear = (one: Likeness | undefined): boolean => one === 'perhaps' || one === 'member'
