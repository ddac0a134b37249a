/**
 * What a file says about consent. A "no" is recorded in every mode, for everybody, and no "yes" of a file goes against
 * it; a "yes" counts only where the importer declares how it came about. See docs/decisions/0022.
 */
import { sql } from 'kysely'
import { hashWording, recordConsent, type ConsentEntry } from '../../consent.ts'
import { suppress } from '../../suppression.ts'
import { saysNo } from './staging.ts'
import { grants, hasLeft, refuses, subscribes } from './wishes.ts'
import type { Expression, FlaggedPurpose, MergePlan, Wave } from './plan.ts'

const purposes = ['newsletter', 'marketing'] as const

/** Of somebody new: set-based, because there is nothing to weigh it against. */
export async function recordNewConsents(at: Wave): Promise<void> {
  const { tx, plan, wave } = at
  const decisionOn = (purpose: FlaggedPurpose): Expression =>
    sql`case when ${subscribes(at, purpose)} then 'granted' when ${refuses(at, purpose)} then 'withdrawn' end`
  const wording = plan.consent?.wording ?? ''
  await sql`
    insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, wording, wording_sha256, evidence,
      actor_id, actor_name, recorded_at)
    select ${tx.workspaceId}, gen_random_uuid(), r.id, p.purpose, p.decision, 'import', ${wording}, ${hashWording(wording)},
      ${JSON.stringify(evidenceOf(plan))}::jsonb || jsonb_build_object('line', r.line),
      ${plan.createdBy}::uuid, ${plan.createdByName}, ${tx.now}
    from pg_temp.import_rows r
    cross join lateral (values ('newsletter', ${decisionOn('newsletter')}), ('marketing', ${decisionOn('marketing')}))
      as p (purpose, decision)
    where r.wave = ${wave} and r.contact_id is null and p.decision is not null
  `.execute(tx.sql)
}

interface Said {
  contact_id: string
  line: number
  suppressed: boolean
  was: Record<FlaggedPurpose, boolean>
  no: Record<FlaggedPurpose, boolean>
  yes: Record<FlaggedPurpose, boolean>
}

/** With those who were there, consent's own rules decide. */
export async function recordKnownConsents(at: Wave): Promise<void> {
  const { tx, services, plan, wave } = at
  const said = await readSaid(at)
  const entries = said.flatMap((row) => purposes.flatMap((purpose) => entryOf(plan, row, purpose)))
  const { recorded } = await recordConsent(tx, services, entries)
  if (!recorded.length) return
  const rows = [...Map.groupBy(recorded, (entry) => entry.contactId)].map(([id, own]) => {
    const row = said.find((each) => each.contact_id === id)!
    const withdrawn = own.filter(({ decision }) => decision === 'withdrawn').map(({ purpose }) => purpose)
    return {
      id,
      subscribed: own.filter(({ decision }) => decision === 'granted').map(({ purpose }) => purpose),
      unsubscribed: withdrawn.filter((purpose) => row.was[purpose as FlaggedPurpose]),
      // Consent's rule: who takes back everything goes on the suppression list.
      suppressed: !row.suppressed && purposes.every((purpose) => row.no[purpose]),
    }
  })
  await keep(at, rows)
  await sql`update pg_temp.import_rows set changed = true
    where wave = ${wave} and contact_id = any(${rows.map(({ id }) => id)}::uuid[])`.execute(tx.sql)
}

/** Those whose flags or ledger would change; the rest is known already. */
async function readSaid(at: Wave): Promise<Said[]> {
  const { tx, plan, wave } = at
  const yesCounts = plan.duplicates !== 'skip' && wave >= 0
  const flag = (purpose: FlaggedPurpose): Expression => sql.ref(`c.${purpose}_subscribed`)
  const latest = (purpose: FlaggedPurpose): Expression => latestDecision(purpose)
  const no = (purpose: FlaggedPurpose): Expression =>
    sql`(${refuses(at, purpose)} and (${flag(purpose)} or ${latest(purpose)} <> 'withdrawn'))`
  const yes = (purpose: FlaggedPurpose): Expression => (yesCounts ? grants(at, purpose) : sql`false`)
  const both = (make: (purpose: FlaggedPurpose) => Expression): Expression =>
    sql`jsonb_build_object('newsletter', ${make('newsletter')}, 'marketing', ${make('marketing')})`
  const { rows } = await sql<Said>`
    select * from (
      select r.contact_id, r.line, r.suppressed, ${both(flag)} as was, ${both(no)} as no, ${both(yes)} as yes
      from pg_temp.import_rows r
      join contacts.contacts c on c.workspace_id = ${tx.workspaceId} and c.id = r.contact_id
      where r.wave = ${wave} and r.contact_id is not null) as said
    where no @> '{"newsletter": true}' or no @> '{"marketing": true}'
      or yes @> '{"newsletter": true}' or yes @> '{"marketing": true}'
  `.execute(tx.sql)
  return rows
}

export function latestDecision(purpose: FlaggedPurpose): Expression {
  return sql`coalesce((
    select k.decision from contacts.consents k
    where k.workspace_id = c.workspace_id and k.contact_id = c.id and k.purpose = ${purpose} and k.decision <> 'pending'
    order by k.recorded_at desc, k.id desc limit 1), '')`
}

function entryOf(plan: MergePlan, row: Said, purpose: FlaggedPurpose): ConsentEntry[] {
  if (!row.no[purpose] && !row.yes[purpose]) return []
  return [
    {
      contactId: row.contact_id,
      purpose,
      decision: row.no[purpose] ? 'withdrawn' : 'granted',
      source: 'import',
      wording: plan.consent?.wording ?? '',
      evidence: { ...evidenceOf(plan), line: row.line },
      actor: plan.createdBy ? { id: plan.createdBy, name: plan.createdByName } : null,
    },
  ]
}

/** Whoever left is on the suppression list afterwards, so that the "no" outlives the contact. */
export async function suppressLeavers(at: Wave): Promise<void> {
  const { tx, services, wave } = at
  if (!at.has.has('status')) return
  const { rows } = await sql<Leaver>`
    select r.email, ${wave < 0 ? sql`r.contact_id` : sql`coalesce(r.contact_id, r.id)`} as contact_id, r.status, r.suppressed
    from pg_temp.import_rows r where r.wave = ${wave} and ${hasLeft(at)}
      and (not r.suppressed or r.status <> 'unsubscribed')`.execute(tx.sql)
  if (!rows.length) return
  const reasons = { unsubscribed: 'unsubscribe', bounced: 'hard_bounce', complained: 'complaint' } as const
  for (const [status, own] of Map.groupBy(rows, (row) => row.status)) {
    const emails = own.map((row) => row.email)
    await suppress(tx, services, emails, reasons[status])
  }
  const known = rows.filter((row) => !row.suppressed && row.contact_id !== null)
  await keep(
    at,
    known.map(({ contact_id: id }) => ({ id: id!, subscribed: [], unsubscribed: [], suppressed: true })),
  )
}

interface Leaver {
  email: string
  contact_id: string | null
  status: 'unsubscribed' | 'bounced' | 'complained'
  suppressed: boolean
}

interface Kept {
  id: string
  subscribed: string[]
  unsubscribed: string[]
  suppressed: boolean
}

/** For an undo. The version is the contact's own after all that the import did to it. */
async function keep({ tx, plan }: Wave, rows: Kept[]): Promise<void> {
  await sql`
    insert into contacts.import_changes as i
      (workspace_id, import_id, contact_id, version_after, subscribed, unsubscribed, suppressed)
    select c.workspace_id, ${plan.importId}, c.id, c.version, k.subscribed, k.unsubscribed, k.suppressed
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as k(id uuid, subscribed text[], unsubscribed text[], suppressed boolean)
    join contacts.contacts c on c.workspace_id = ${tx.workspaceId} and c.id = k.id
    on conflict (workspace_id, import_id, contact_id) do update set version_after = excluded.version_after,
      subscribed = i.subscribed || excluded.subscribed, unsubscribed = i.unsubscribed || excluded.unsubscribed,
      suppressed = i.suppressed or excluded.suppressed`.execute(tx.sql)
}

export async function recordConsents(at: Wave, someKnown: boolean): Promise<void> {
  await recordNewConsents(at)
  if (someKnown && (at.plan.duplicates !== 'skip' || saysNo(at.plan.columns))) await recordKnownConsents(at)
  await suppressLeavers(at)
}

function evidenceOf({ importId, fileName, consent }: MergePlan): Record<string, string> {
  return { import_id: importId, file_name: fileName, ...(consent ? { declared_source: consent.source } : {}) }
}
