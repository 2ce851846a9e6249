/** Kinds of secrets that are told apart by what issued them; the others by where they stand. */
const byForm: readonly (readonly [string, RegExp])[] = [
  ['private_key', /^(?:-----BEGIN|AGE-SECRET-KEY-)/iu],
  ['json_web_token', /^(?:ey[A-Za-z0-9]{17,2000}\.ey|ZXlK)/u],
  ['anthropic_key', /^sk-ant-/u],
  ['openai_key', /^sk-(?:proj-|svcacct-|admin-|[\w-]{20,200}T3BlbkFJ|[A-Za-z0-9]{40,64}$)/u],
  ['github_token', /^(?:gh[opsur]_|github_pat_)/u],
  ['gitlab_token', /^(?:gl[a-z]{2,6}-|GR1348941|_gitlab_session=)/u],
  ['aws_key', /^(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|ABSK|bedrock-api-key-)/u],
  ['google_key', /^(?:AIza|AQ\.|GOCSPX-|ya29\.|1\/\/0)/u],
  ['slack_token', /^(?:xox[a-z]|xapp-)/u],
  ['stripe_key', /^(?:[rs]k_(?:test|live|prod)_|whsec_)/u],
  ['azure_key', /AZDO|JQQJ99|^[\w~.]{3}\dQ~/u],
  ['npm_token', /^npm_/u],
  ['pypi_token', /^pypi-/u],
  ['huggingface_token', /^(?:hf_|api_org_)/u],
  ['webhook_address', /hooks\.slack\.com|webhook\.office\.com|\/api\/webhooks\//iu],
  ['password', /^<add key=/iu],
]

/** The kind of a secret that has a form of its issuer's; `service_token` for those of the many others. */
export function kindOfForm(secret: string): string {
  return byForm.find(([, form]) => form.test(secret))?.[0] ?? 'service_token'
}
