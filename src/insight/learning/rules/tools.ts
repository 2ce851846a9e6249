/** Tools of which a team has one of a kind: who takes another has left the one before, where they do not say that they have both. */
const kinds = {
  'issue tracker':
    /^(?:jira|linear|asana|trello|youtrack|clickup|shortcut|basecamp|redmine|bugzilla|plane|github issues|gitlab issues|azure boards|monday(?:\.com)?)$/u,
  'code host': /^(?:github|gitlab|bitbucket|gitea|forgejo|codeberg|sourcehut|azure repos|gerrit)$/u,
  'build server':
    /^(?:jenkins|circle ?ci|github actions|gitlab ci|travis(?: ci)?|buildkite|teamcity|drone(?: ci)?|azure pipelines|bamboo|woodpecker)$/u,
  chat: /^(?:slack|microsoft teams|ms teams|mattermost|zulip|rocket\.?chat|google chat)$/u,
} as const

/** The kind of a tool, where there is one of it at a time. */
export function toolOf(name: string): string | undefined {
  return Object.entries(kinds).find(([, names]) => names.test(name))?.[0]
}

const hosts =
  /^(?:aws|amazon web services|gcp|google cloud|azure|microsoft azure|heroku|fly(?:\.io)?|hetzner|vercel|netlify|render|railway|digital ?ocean|cloudflare|linode|akamai|vultr|ovh(?:cloud)?|scaleway|oracle cloud|ibm cloud|alibaba cloud|dokku|coolify|github pages|gitlab pages|firebase|pythonanywhere|platform\.sh|exoscale|upcloud|ionos)(?![\p{L}\p{N}.-])/u

/** Whether it is known for one on whose machines things run. */
export function isHost(name: string): boolean {
  return hosts.test(name)
}
