import type { Scope } from '../model/access.ts'

/** What a bearer token that is good now lets its bearer do. */
export interface Access {
  readonly tenantId: number
  readonly principal: string
  readonly principalId: string
  /** Of a token of ours. */
  readonly tokenId?: string | undefined
  readonly scopes: readonly Scope[]
  /** In ISO 8601; null for a token that does not expire. */
  readonly expiresAt: string | null
}

/**
 * What is found of a bearer token: what it allows or, in words for its bearer, why not. `invalid` is what another token would
 * mend; `forbidden` is a good token of somebody who may not come in.
 */
export type Verdict =
  /** `by` says whose token it is: one of ours, or one of the authorization server. */
  | { readonly kind: 'granted'; readonly by: 'us' | 'issuer'; readonly access: Access }
  /** `former` is what it allowed when it was good, where it was. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly former?: Access }
  | { readonly kind: 'forbidden'; readonly reason: string }

/** Whether what a token allowed when it was checked has ended since. */
export function isOver({ expiresAt }: Access, nowMs: number): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= nowMs
}
