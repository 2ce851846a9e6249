/** A form that its issuer made so that such a secret is recognised. */
export interface KnownForm {
  /** What it begins with, as a regular expression; letters count as they are written. */
  readonly prefix: string
  /** How long the rest is at least. */
  readonly bodyMin: number
}

const prefixes = (bodyMin: number, names: string): KnownForm[] =>
  names.split(' ').map((name) => ({ prefix: name.replace(/\./gu, '\\.'), bodyMin }))

/** By the length of what follows the prefix: letters, digits and the signs of base64, tokens and domains. */
export const knownForms: readonly KnownForm[] = [
  ...prefixes(8, 'xoxb- xoxa- xoxo- xoxr- xoxs- xoxp- xoxe- xoxe.xoxb- xoxe.xoxp- bedrock-api-key-'),
  ...prefixes(10, 'sk_test_ sk_live_ sk_prod_ rk_test_ rk_live_ rk_prod_ xapp- FLWSECK_TEST-'),
  ...prefixes(14, 'rzp_live_ rzp_test_'),
  ...prefixes(16, 'sm_aat_ sm_pat_ sm_sat_'),
  ...prefixes(19, 'NRJS- glpat- gldt- glffct- glft- glimt- glagent- gloas- glptt- glrt- glsoat- glcbt-'),
  ...prefixes(
    20,
    'LTAI sk-ant- GR1348941 sq0atp- sq0csp- whsec_ fw_ CCIPAT_ vercel_blob_rw_ tskey- dckr_pat_ dckr_oat_ GOCSPX- sb_secret_ csk- tvly-',
  ),
  ...prefixes(22, 'EAAA'),
  ...prefixes(26, 'NRAK- NRII-'),
  ...prefixes(
    30,
    'gsk_ nvapi- r8_ phx_ phc_ figd_ bkua_ sbp_ lsv2_pt_ lsv2_sk_ e2b_ cfat_ cfut_ napi_ pcsk_ sk-lf- pk-lf- xai- secret_ pa-',
  ),
  ...prefixes(31, 'p8e- FLWPUBK_TEST- _gitlab_session= ico- shpat_ shpca_ shppa_ shpss_ glc_ dnkey-'),
  ...prefixes(32, 'pscale_tkn_ pscale_oauth_ pscale_pw_'),
  ...prefixes(34, 'hf_ api_org_ AIza AQVN'),
  ...prefixes(36, 'ghp_ gho_ ghu_ ghs_ ghr_ npm_ pnu_'),
  ...prefixes(40, 'lin_api_ pul- shippo_live_ shippo_test_ glsa_ sntrys_ squ_ sqp_ sqa_ sgp_ ntn_'),
  ...prefixes(43, 'dp.pt. duffel_test_ duffel_live_ fo1_ sha256~'),
  ...prefixes(48, 'pplx- rubygems_ tk-us- AQ.Ab8R ya29. 1//0'),
  ...prefixes(50, 'pypi-AgEIcHlwaS5vcmc github_pat_'),
  ...prefixes(54, 'EZAK EZTK'),
  ...prefixes(57, 'PMAK- AGE-SECRET-KEY-1 HRKU-AA cmVmd tfp_'),
  ...prefixes(
    60,
    'CLOJARS_ fio-u- SG. dt0c01. s-s4t2ud- s-s4t2af- doo_v1_ dop_v1_ dor_v1_ sntryu_ AKCp rdme_ eyJrIjoi',
  ),
  ...prefixes(80, 'xkeysib- hvs. hvb. EAAM EAAC fm1a_ fm1r_ fm2_ ABSK'),
  ...prefixes(120, 'ops_eyJ ATATT3'),
]

/** The forms that are more than a prefix and a length. */
export const otherForms: readonly RegExp[] = [
  // AWS access keys.
  /(?<!\w)(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?!\w)/gu,
  // JSON Web Tokens, also base64 of them.
  /(?<!\w)ey[A-Za-z0-9]{17,2000}\.ey[A-Za-z0-9/\\_-]{17,4000}\.(?:[A-Za-z0-9/\\_-]{10,1000}={0,2})?/gu,
  /(?<!\w)ZXlK[A-Za-z0-9+/\\_\r\n-]{30,4000}={0,2}/gu,
  /(?<!\w)sk-(?:(?:proj|svcacct|admin)-)?[\w-]{20,200}T3BlbkFJ[\w-]{20,200}/gu,
  /(?<!\w)sk-(?:proj|svcacct|admin)-[\w-]{40,300}/gu,
  /(?<!\w)sk-[A-Za-z0-9]{40,64}(?!\w)/gu,
  /(?<!\w)A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}(?!\w)/gu,
  /(?<!\w)pat[A-Za-z0-9]{14}\.[a-f0-9]{64}(?!\w)/gu,
  /(?<!\w)(?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][A-Za-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}/gu,
  /(?<!\w)sk-or-(?:v\d-)?[a-f0-9]{48,80}(?!\w)/gu,
  /(?<!\w)sk[-_](?=[a-f]{0,30}\d)(?:[a-f0-9]{32}|[a-f0-9]{48}|[a-f0-9]{64})(?!\w)/gu,
  /(?<!\w)sk\.eyJ[\w-]{20,300}\.[\w-]{20,50}/gu,
  /(?<!\w)sl\.[\w-]{130,1500}/gu,
  /(?<!\w)re_(?=[A-Za-z_]{0,34}\d)[A-Za-z0-9]{8}_[A-Za-z0-9]{24}(?!\w)/gu,
  // Azure DevOps, and further keys of Azure that carry a mark within.
  /(?<!\w)[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?!\w)/gu,
  /(?<!\w)[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{10,30}(?!\w)/gu,
  // Bots of Discord.
  /(?<![\w.])[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,45}(?![\w.])/gu,
  // Wallets: extended keys and the import format.
  /(?<!\w)[xyzt]prv[1-9A-HJ-NP-Za-km-z]{100,112}(?!\w)/gu,
  /(?<=private key\W{1,4})[5KL][1-9A-HJ-NP-Za-km-z]{50,51}(?!\w)/giu,
  // Prefixes that are too short to tell anything without the exact length and letters.
  /(?<!\w)AQ\.(?=[A-Za-z_-]{0,60}\d)[\w-]{45,60}(?!\w)/gu,
  /(?<!\w)fc-(?=[a-f]{0,31}\d)[a-f0-9]{32}(?!\w)/gu,
  /(?<!\w)(?=[a-f]{0,31}\d)[a-f0-9]{32}-us\d{1,2}(?!\w)/gu,
  /(?<!\w)cio(?=[A-Za-z]{0,31}\d)(?=[a-z\d]{0,31}[A-Z])[A-Za-z0-9]{32}(?!\w)/gu,
  /(?<!\w)oy2(?=[a-z]{0,42}\d)[a-z0-9]{43}(?!\w)/gu,
  /(?<!\w)(?:pub)?key-(?=[a-f0-9]{0,30}\d)[a-f0-9]{32}(?!\w)/gu,
  /(?<!\w)SK[0-9a-fA-F]{32}(?!\w)/gu,
  /(?<!\w)dapi[a-f0-9]{32}(?:-\d)?(?!\w)/gu,
  /(?<![\w-])API-(?=[A-Z]{0,25}\d)[A-Z0-9]{26}(?!\w)/gu,
  /(?<!\w)4b1d[A-Za-z0-9]{38}(?!\w)/gu,
  // Azure client secrets.
  /(?<![\w~.-])[\w~.]{3}\dQ~[\w~.-]{31,34}(?![\w~-])/gu,
  /(?<!\w)v1\.0-[a-f0-9]{24}-[a-f0-9]{146}(?!\w)/gu,
  /(?<!\w)\d{15,16}[|%][\w-]{27,40}(?!\w)/gu,
  /(?<!\w)(?:pat|sat)\.[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}(?!\w)/gu,
  /(?<!\w)[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}/gu,
  /(?<!\w)[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?!\w)/gu,
  /(?<!\w)pk\.[A-Za-z0-9]{60}\.[A-Za-z0-9]{22}(?!\w)/gu,
  /(?<!\w)access-(?:sandbox|development|production)-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?!\w)/giu,
  /(?<!\w)\d{5,16}:A[\w-]{34}(?!\w)/gu,
  /(?<!\w)A{20,22}[A-Za-z0-9%]{60,100}(?!\w)/gu,
  /(?<!\w)s\.(?=[A-Za-z]{0,23}\d)[A-Za-z0-9]{24}(?!\w)/gu,
  /(?<!\w)t1\.[\w-]{1,200}={0,2}\.[\w-]{86}={0,2}/gu,
  /(?<!\w)glpat-[\w-]{27,300}\.[0-9a-z]{9}(?!\w)/gu,
  /(?<!\w)(?:live|test)_(?:pub_)?(?=[a-f0-9]{0,30}\d)[a-f0-9]{31,35}(?!\w)/gu,
  /["']secret_key["']\s{0,20}=>\s{0,20}["'](sk_\S{29})["']/giu,
  // Addresses that let in whoever knows them.
  /hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9+/]{20,80}/gu,
  /(?<![a-z0-9])[a-z0-9]{1,60}\.webhook\.office\.com\/webhookb2\/[\w@/-]{80,300}/giu,
  /discord(?:app)?\.com\/api\/webhooks\/\d{15,22}\/[\w-]{40,100}/gu,
  /<add key="(?:ClearText)?Password"\s{0,20}value="([^"\n]{8,200})"/giu,
]
