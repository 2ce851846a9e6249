import { firstTenantId } from '../../model/access.ts'
import type { Queries } from '../rows.ts'

/** Somebody whom an identity provider names, in a tenant. */
export interface StoredSubject {
  readonly tenantId: number
  /** Undefined where there is none of the subject yet. */
  readonly principal: { readonly id: string; readonly name: string } | undefined
  readonly isDisabled: boolean
}

/** Looks a subject up in the tenant with this name, or in the first. Undefined where there is no such tenant, or it is disabled. */
export async function findSubject(
  sql: Queries,
  {
    issuer,
    subject,
    tenant,
  }: { readonly issuer: string; readonly subject: string; readonly tenant: string | undefined },
): Promise<StoredSubject | undefined> {
  const [row] = await sql<{ tenant_id: number; id: string | null; name: string; is_disabled: boolean }[]>`
    select t.id as tenant_id, p.id, p.name, p.disabled_at is not null as is_disabled
    from tenants t
      left join principals p on p.tenant_id = t.id and p.issuer = ${issuer} and p.subject = ${subject}
    where t.disabled_at is null and ${tenant === undefined ? sql`t.id = ${firstTenantId}` : sql`t.name = ${tenant}`}`
  if (row === undefined) return undefined
  const { tenant_id: tenantId, id, name, is_disabled: isDisabled } = row
  return { tenantId, principal: id === null ? undefined : { id, name }, isDisabled }
}

/** Stores who an identity provider names as a principal. False where the tenant has one of the subject already. */
export async function insertSubject(
  sql: Queries,
  principal: {
    readonly tenantId: number
    readonly id: string
    readonly name: string
    readonly issuer: string
    readonly subject: string
  },
): Promise<boolean> {
  const rows = await sql`
    insert into principals (tenant_id, id, kind, name, issuer, subject)
    values (${principal.tenantId}, ${principal.id}, 'person', ${principal.name}, ${principal.issuer}, ${principal.subject})
    on conflict (tenant_id, issuer, subject) do nothing returning id`
  return rows.length > 0
}
