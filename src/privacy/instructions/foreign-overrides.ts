/** "Ignore the previous instructions" in other languages than English: a verb and what is to be ignored, near each other. */
const byLanguage: readonly (readonly [string, string])[] = [
  // German, Dutch
  [
    'ignorier\\S{0,4}|vergiss|vergesst|vergessen sie|missachte\\S{0,2}|beachte nicht|befolge nicht|übergehe',
    'anweisung|instruktion|regel|vorgabe|befehl|systemprompt|alles,? was (?:dir|ihnen|bisher)',
  ],
  ['negeer|vergeet', 'instructie|aanwijzing|opdracht|regels|richtlijn'],
  // French, Spanish, Catalan, Portuguese, Italian, Romanian
  [
    'ignore[zr]?|oublie[zr]?|ne tiens pas compte|ne tenez pas compte|fais abstraction|faites abstraction',
    'instructions|consignes|règles|directives|ordres',
  ],
  [
    'ignor[ae]|olvid[ae]|omite|descart[ae]|haz caso omiso|no hagas caso',
    'instrucciones|órdenes|indicaciones|reglas|directrices',
  ],
  ['ignora|oblida', 'instruccions|ordres|regles'],
  ['ignor[ae]|esqueç?c?[ae]|desconsider[ae]', 'instruções|ordens|regras|diretrizes'],
  ['ignora|dimentica|trascura|non seguire', 'istruzioni|regole|indicazioni|ordini|direttive'],
  ['ignor[ăa]\\S{0,3}|uit[ăa]', 'instrucțiuni|regul|comenzi|indicații'],
  // Polish, Czech, Slovak, Russian, Ukrainian, Bulgarian
  ['z?ignoruj\\S{0,3}|zapomnij|pomiń', 'instrukcj|poleceni|zasad|wskazów|rozkaz'],
  ['ignoruj\\S{0,2}|zapomeň\\S{0,2}|zabudni|nedbej', 'instrukc|inštrukc|pokyn|příkaz|pravid'],
  [
    '(?:про)?игнорируй\\S{0,3}|забудь\\S{0,2}|не обращай\\S{0,2} внимания|отбрось',
    'инструкци|указани|команд|правил|приказ',
  ],
  ['(?:про)?ігноруй\\S{0,2}|забудь\\S{0,2}', 'інструкці|вказівк|команд|правил'],
  ['игнорирай|забрави', 'инструкции|указания|команди|правила'],
  // Swedish, Norwegian, Danish, Finnish, Hungarian, Greek
  ['ignorer[a]?|bortse från|se bort fra|glem|glöm', 'instruktion|anvisning|instruks|regler|regl'],
  ['ohita|unohda|älä välitä|jätä huomiotta|älä noudata', 'ohje|käsky|sään|määräy'],
  ['hagyd figyelmen kívül|felejtsd el|ignoráld', 'utasítás|szabály|parancs|előír'],
  ['αγνόησ\\S{0,3}|αγνοήσ\\S{0,3}|ξέχ\\S{0,5}', 'οδηγί|εντολ|κανόν'],
  // Hebrew, Arabic, Persian, Vietnamese, Indonesian, Thai
  ['[הת]תעלמ?י?ם?|שכחי?', 'הוראות|הנחיות|כללים'],
  ['تجاهل|انس|أنس|اهمل|أهمل|لا تتبع', 'تعليمات|أوامر|اوامر|قواعد|توجيهات'],
  ['bỏ qua|phớt lờ|quên', 'hướng dẫn|chỉ dẫn|chỉ thị|lệnh|quy tắc'],
  ['abaikan|lupakan', 'instruksi|perintah|aturan|petunjuk|arahan'],
  ['เพิกเฉย|ละเว้น|ลืม|ไม่ต้องสนใจ', 'คำสั่ง|คำแนะนำ|กฎ'],
  ['忽略|无视|無視|忘记|忘記|忘掉|不要理会|无需理会|忽視|不用管', '指令|指示|提示|说明|說明|规则|規則|要求|命令'],
]
/** Where the verb comes last. */
const verbLast: readonly (readonly [string, string])[] = [
  ['指示|命令|プロンプト|ルール|指令|説明', '無視|忘れ|従わな|破棄'],
  ['지시|명령|프롬프트|규칙|지침', '무시|잊어|따르지'],
  ['निर्देश|आदेश|नियम', 'अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल'],
  ['talimat|komut|kural|yönerge', 'yok say|görmezden|unut|dikkate alma'],
  ['دستور', 'نادیده|فراموش'],
  ['utasítás|szabály|parancs', 'hagyd figyelmen kívül|felejtsd'],
  ['anweisungen|instruktionen|vorgaben|regeln', 'ignorieren|vergessen|missachten'],
]
const betweenMax = 60

export const foreignOverrides: readonly RegExp[] = [...byLanguage, ...verbLast].map(
  ([first, second]) => new RegExp(`(?:${first})(?:[^.!?。]{0,${betweenMax}}?)(?:${second})`.normalize('NFKC'), 'u'),
)
