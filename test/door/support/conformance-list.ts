/** The revisions of the protocol that the suite has scenarios for. */
export const revisions = ['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] as const

export type Revision = (typeof revisions)[number]

/** Scenarios of the suite that run at the same place, for the same reason. */
export interface ScenarioGroup {
  /**
   * `serve` is `verbatim serve` itself; `fixture` the same gate, transport and kits with the tools, resources and prompts
   * that the suite calls for; `nowhere` is not run.
   */
  readonly runsOn: 'serve' | 'fixture' | 'nowhere'
  readonly names: readonly string[]
  /** Where they run otherwise in other revisions. */
  readonly revisions?: readonly Revision[]
  /** Of scenarios with many checks, those that cannot pass; all others of them must. */
  readonly checks?: readonly string[]
  /** Why they do not run on `verbatim serve`. */
  readonly reason?: string
}

/** Every scenario that the suite has for a server. The tests hold it true; docs/conformance.md is made from it. */
export const scenarioGroups: readonly ScenarioGroup[] = [
  {
    runsOn: 'serve',
    names: [
      'caching',
      'completion-complete',
      'dns-rebinding-protection',
      'http-header-validation',
      'input-required-result-unsupported-methods',
      'input-required-result-validate-input',
      'ping',
      'prompts-list',
      'resources-list',
      'sep-2164-resource-not-found',
      'server-initialize',
      'tools-list',
    ],
  },
  { runsOn: 'serve', names: ['server-sse-multiple-streams'], revisions: ['2026-07-28'] },
  {
    runsOn: 'serve',
    names: ['server-stateless'],
    checks: [
      'sep-2575-server-rejects-undeclared-capability',
      'sep-2575-missing-capability-http-400',
      'sep-2575-http-server-no-independent-requests-on-stream',
      'sep-2575-server-no-log-without-loglevel',
    ],
    reason:
      'these checks call tools that ask the client for something, or log to it, while they run; no tool here does',
  },
  {
    runsOn: 'fixture',
    names: ['tools-call-simple-text', 'tools-call-error', 'json-schema-2020-12'],
    reason:
      'they call tools of the suite’s own; those of the test server are described and called as the product’s are',
  },
  {
    runsOn: 'fixture',
    names: ['tools-call-audio', 'tools-call-embedded-resource', 'tools-call-image', 'tools-call-mixed-content'],
    reason: 'they call tools of the suite’s own, whose contents no tool here gives; transport and kits carry them',
  },
  {
    runsOn: 'fixture',
    names: ['resources-read-binary', 'resources-read-text', 'resources-templates-read'],
    reason: 'they read resources of the suite’s own',
  },
  {
    runsOn: 'fixture',
    names: ['prompts-get-embedded-resource', 'prompts-get-simple', 'prompts-get-with-args', 'prompts-get-with-image'],
    reason: 'they ask for prompts of the suite’s own',
  },
  {
    runsOn: 'nowhere',
    names: ['server-session-lifecycle', 'server-sse-polling'],
    reason: 'they are about sessions and their streams: the server keeps neither, which the protocol allows',
  },
  {
    runsOn: 'nowhere',
    names: ['server-sse-multiple-streams'],
    revisions: ['2025-11-25'],
    reason: 'before 2026-07-28 it is about the streams of a session: the server keeps none',
  },
  {
    runsOn: 'nowhere',
    names: ['resources-subscribe', 'resources-unsubscribe'],
    reason:
      'in these revisions notices of changes need a session; the server declares `subscribe: false` over HTTP. On stdio, and by `subscriptions/listen` from 2026-07-28 on, tests of our own subscribe',
  },
  {
    runsOn: 'nowhere',
    names: ['logging-set-level', 'tools-call-with-logging'],
    reason: 'the protocol has deprecated logging to clients, and the server does not declare it',
  },
  {
    runsOn: 'nowhere',
    names: ['tools-call-with-progress'],
    reason: 'no tool reports progress: each answers within seconds, in one piece',
  },
  {
    runsOn: 'nowhere',
    names: [
      'elicitation-sep1034-defaults',
      'elicitation-sep1330-enums',
      'input-required-result-basic-elicitation',
      'input-required-result-basic-list-roots',
      'input-required-result-basic-sampling',
      'input-required-result-capability-check',
      'input-required-result-ignore-extra-params',
      'input-required-result-missing-input-response',
      'input-required-result-multi-round',
      'input-required-result-multiple-input-requests',
      'input-required-result-non-tool-request',
      'input-required-result-request-state',
      'input-required-result-result-type',
      'input-required-result-tampered-state',
      'tools-call-elicitation',
      'tools-call-sampling',
    ],
    reason: 'the server asks its client for nothing: no elicitation, no sampling, no roots, no further input',
  },
  {
    runsOn: 'nowhere',
    names: ['http-custom-header-server-validation'],
    reason: 'no tool has an argument that is also sent as a header',
  },
]

/** Where a scenario runs in a revision; undefined for one that is not in the list. */
export function groupOf(name: string, revision: Revision): ScenarioGroup | undefined {
  return scenarioGroups.find(
    (group) => group.names.includes(name) && (group.revisions === undefined || group.revisions.includes(revision)),
  )
}
