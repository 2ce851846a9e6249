import { fold } from './fold.ts'

/**
 * Function words: they say which language a text is in and almost nothing about what it means. They are indexed like any
 * other word (phrases need them); a query gives them no weight of its own, and the detector counts them.
 */
const lists = {
  en: `a about above after again all also am an and any are aren't as at be because been before being below between both but by can
    can't cannot could couldn't did didn't do does doesn't doing don't down during each ever few for from further get got had hadn't has
    hasn't have haven't having he he's her here hers herself him himself his how i i'd i'll i'm i've if in into is isn't it it's its
    itself just let let's me might more most much must my myself no nor not of off on once only or other ought our ours out over own
    please same shall she she's should shouldn't so some such than that that's the their theirs them themselves then there there's
    these they they're they've this those through to too under until up upon us very was wasn't we we'll we're we've were weren't what
    what's when where which while who whom whose why will with won't would wouldn't you you'd you'll you're you've your yours yourself`,
  de: `aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist da damit dann das dass dein
    deine dem den denn der des dessen dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer
    eines er es etwas euch euer für gegen gewesen hab habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren
    ihrer im in indem ins ist ja jede jedem jeden jeder jetzt kann kein keine keinen können könnte man manche mein meine meinem meinen
    meiner mich mir mit muss nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinen seiner sich sie sind so solche soll sollte
    sondern über um und uns unser unsere unter viel vom von vor wann war waren warum was weil wenn wer werde werden weshalb wie wieder
    will wir wird wirst wo wurde wurden würde zu zum zur zwar zwischen`,
  fr: `à ai alors après au aucun aussi autre aux avant avec avoir bien c'est ça car ce ceci cela ces cet cette chez comme comment dans de
    des depuis deux donc dont du elle elles en encore entre est et était étaient être eu fait faire font il ils j'ai je jusqu l'on la le
    les leur leurs lors lui ma mais me même mes moi moins mon ne ni non nos notre nous on ont ou où par parce pas peu peut plus pour
    pourquoi pouvez quand que quel quelle quelles quels qui quoi sa sans se sera ses si son sont sous suis sur ta tandis te tes toi ton
    tous tout toute toutes très tu un une vers voici voilà vos votre vous y`,
  es: `a al algo algunos ante antes aquí así aunque bien cada como cómo con contra cual cuál cuando cuándo de del desde donde dónde dos el
    él ella ellas ellos en entre era eran es esa ese eso esta está estaba están estas este esto estos fue fueron ha había han hasta hay
    he la las le les lo los más me mi mis mucho muy nada ni no nos nosotros o os otra otro para pero poco por porque qué que quien quién
    se sea ser si sí sin sobre son soy su sus también tanto te tengo tiene tienen todo todos tu tú tus un una unas uno unos usted y ya yo`,
  it: `a ad agli ai al alla alle anche ancora avere aveva c'è che chi ci ciò come con cosa così cui da dagli dai dal dalla degli dei del
    della delle dello di dice dove e è ed era erano essere fa fare gli ha hai hanno ho i il in io la le lei lo loro lui ma me mi mia mio
    molto ne negli nei nel nella nelle noi non nostro o ogni per perché però più poi può quale quando quanto quella quello questa queste
    questi questo qui sarà se sei sempre si sia siamo sono sta su sua sue sui sul sulla suo tra tu tutti tutto un una uno va vi voi`,
  pt: `a ainda ao aos as até cada com como da das de dela dele deles depois do dos e é ela elas ele eles em entre era eram essa esse esta
    está estamos estão estava este eu foi foram há isso isto já la lhe mais mas me mesmo meu meus minha muito muitos na nas nem no nos
    nós não num numa o onde os ou para pela pelas pelo pelos por porque qual quando que quem são se seja sem ser seu seus só sobre sua
    suas também te tem têm tenho ter teu tinha tudo um uma umas uns você vocês`,
  nl: `aan al alle als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens en er ge geen geweest haar had
    heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je jij kan kon kunnen maar me meer men met mij mijn moet na naar
    niet niets nog nu of om omdat ons ook op over reeds te tegen toch toen tot u uit uw van veel voor waarom want waren was wat we wel
    werd wezen wie wij wil worden wordt zal ze zei zelf zich zij zijn zo zonder zou`,
  sv: `alla allt att av blev bli blir då de den denna deras dess det detta dig din dina du där efter eller en er ett från för ha hade han
    hans har hon hur här i icke ingen inom inte jag ju kan kunde man med mellan men mig min mina mot mycket ni nu när någon något några
    och om oss på samma sedan sig sin sina skulle som så till under upp ut utan vad var vara varför vi vid vilken vill är över`,
  da: `af alle at blev bliver da de den denne der deres det dette dig din dog du efter eller en end er et for fra ham han hans har havde
    hende her hos hun hvad hvis hvor i ikke ind jeg jo kunne man mange med meget men mig min mine mit mod ned noget nogle nu når og også
    om op os over på selv sig skal skulle som sådan thi til ud under var vi vil ville vor være været`,
  no: `alle at av bare ble blei blir da de deg den denne der dere deres det dette di din du eller en er et etter for fordi fra få ha hadde
    ham han hans har hennes her hun hva hvem hver hvilken hvis hvor hvordan i ikke ingen inn ja jeg kan kunne man mange med meg meget men
    mer min mitt mot mye ned nei noe noen nå når og også om opp oss over på samme seg selv si sin skal skulle som så til um under ut uten
    var ved vi vil ville være vært å`,
  fi: `ei eivät emme en että hän he ja jo joka jos jotka kanssa kaikki keskellä kuin kuka kun me minä mikä mitä missä mukaan mutta myös
    ne niin nyt oli olin olisi olivat olla on ovat poikki se sekä sen siellä siinä sitä tai tämä te tuo vaan vain voi`,
  hu: `a abban ahogy akkor aki ami amely az azt be csak de egy egyik el én ennek és ez ezt fel ha hogy hogyan igen is itt ki kell le lehet
    lesz már meg mert mi mint mit most nagyon ne nem nincs ő ők össze pedig s sem szerint te további úgy vagy vagyok van vannak volt`,
  ro: `acea aceasta acest al ale am ar are as asa au avea ca că care ce cel cu cum dar de deci din doar după ea ei el era este eu fi fie
    fost fără iar în între îl îmi la le li lor lui mai mea meu mi ne nici noi nu o pe pentru prin sa să se si și sunt te tot toate un una
    unei unui va vă voi`,
  tr: `acaba ama ancak bana bazı ben beni benim bir biri biz bu bunu çok çünkü da daha de değil diye en gibi hem hep her hiç için ile ise
    kadar ki kim mı mi mu mü nasıl ne neden nerede niye o olan olarak oldu on onu onun sen siz şey şu tüm var ve veya ya yani yok`,
  ru: `а без бы был была были было быть в вам вас весь во вот все всё всего всех вы где да даже для до его её ее если есть ещё еще же за
    здесь и из или им их к как какая какой ко когда кто ли либо между меня мне мог может можно мы на над надо наш не него нее ней нет ни
    них но ну о об однако он она они оно от очень по под после потом потому почему при про с сам сейчас со так также такой там тебя тем
    то тогда того тоже той только том ты у уже хотя чего чей чем что чтобы эта эти это этого этой этом этот я`,
  uk: `а але без би був була були було бути в вам вас весь вже ви від він вона вони все все ж где де для до дуже є же за з зі і із її їх й
    його як яка який які якщо коли ми мені мене може на над наш не немає ні ну о об отже по під після при про с саме своє та так також там
    те ти тільки то того тому у хто це цей ця цього ці чи чому що щоб я`,
  ar: `أن إن إلى أو أي أين الذي التي الذين بعد بين ثم حتى حيث ذلك على عن عند غير في قبل قد كان كانت كل كما كيف لا لقد لكن لم لن له
    لها ليس ما ماذا متى مع من منذ نحن هذا هذه هل هم هنا هناك هو هي و يا`,
} as const

export type StopWordLanguage = keyof typeof lists

function isStopWordLanguage(language: string): language is StopWordLanguage {
  return Object.hasOwn(lists, language)
}

/** Word to the languages that have it, as written in the lists (lower case, accents kept): the detector's evidence. */
export const languagesOfStopWord: ReadonlyMap<string, readonly StopWordLanguage[]> = (() => {
  const found = new Map<string, StopWordLanguage[]>()
  for (const language of Object.keys(lists).filter(isStopWordLanguage)) {
    for (const word of new Set(lists[language].split(/\s+/u))) found.set(word, [...(found.get(word) ?? []), language])
  }
  return found
})()

const folded = new Map<string, Set<string>>()
for (const [word, languages] of languagesOfStopWord) {
  for (const form of [fold(word), fold(word).replaceAll("'", '')]) {
    const known = folded.get(form) ?? new Set()
    for (const language of languages) known.add(language)
    folded.set(form, known)
  }
}

/** Chinese and Japanese function characters; a pair made only of these, or of hiragana, is grammar. */
const grammarGram = /^(?:[\u{3041}-\u{309f}]+|[的了是在和就都而及与着或也吗呢吧啊呀嘛么什怎哪谁这那我你他她它们]+)$/u

/** Whether a folded term is a function word of one of the languages, or a pair of characters that is only grammar. */
export function isStopWord(term: string, languages: readonly string[]): boolean {
  const known = folded.get(term)
  if (known !== undefined) return languages.some((language) => known.has(language))
  return grammarGram.test(term)
}
