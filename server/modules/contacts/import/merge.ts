/**
 * One batch of an import, from staged lines to contacts, with one statement per table. Rows that carry the same address
 * go in waves, so that the second row of a person meets what the first one wrote, exactly as if rows came one by one.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { refreshStatistics } from '#platform/db/statistics.ts'
import { publishBundles } from '#platform/events/outbox.ts'
import type { Services } from '#platform/services.ts'
import { hashWording, recordConsent, type ConsentEntry } from '../consent.ts'
import { isSuppressed } from '../suppression.ts'
import type { StagedColumn } from './rows.ts'

export type Duplicates = 'skip' | 'update' | 'merge'

export interface MergePlan {
  importId: string
  fileName: string
  duplicates: Duplicates
  columns: readonly StagedColumn[]
  listId: string | null
  consent: DeclaredConsent | null
  createdBy: string | null
  createdByName: string
}

/** What the importer declares of everybody in the file whose own columns do not say otherwise. */
export interface DeclaredConsent {
  newsletter?: boolean
  marketing?: boolean
  source: string
  wording: string
}

export interface Staged {
  /** COPY lines by wave: `waves` of them, numbered from 0. */
  text: string
  waves: number
  /** By tag number. */
  tagIds: readonly string[]
}

export interface Outcome {
  created: number
  changed: number
  untouched: number
}

const types: Record<StagedColumn, string> = {
  email: 'text',
  first_name: 'text',
  last_name: 'text',
  company: 'text',
  job_title: 'text',
  phone: 'text',
  phone_key: 'text',
  gender: 'text',
  language: 'text',
  timezone: 'text',
  source: 'text',
  notes: 'text',
  avatar_url: 'text',
  status: 'text',
  newsletter_subscribed: 'boolean',
  marketing_subscribed: 'boolean',
  created_at: 'timestamptz',
  lifetime_value: 'numeric',
  total_orders: 'int',
  total_appointments: 'int',
  total_bookings: 'int',
  last_order_date: 'timestamptz',
  last_appointment_date: 'timestamptz',
  last_booking_date: 'timestamptz',
  tag_refs: 'int[]',
  custom_fields: 'jsonb',
}

/** Columns of a contact that are never null: their empty value, which a merge may fill. */
const emptyValues: Partial<Record<StagedColumn, string>> = {
  first_name: `''`,
  last_name: `''`,
  notes: `''`,
  lifetime_value: '0',
  total_orders: '0',
  total_appointments: '0',
  total_bookings: '0',
}

const handledApart = new Set<StagedColumn>([
  ...(['email', 'tag_refs', 'custom_fields', 'notes', 'status', 'created_at'] as const),
  ...(['newsletter_subscribed', 'marketing_subscribed', 'language'] as const),
])

/** A table of the connection's own, emptied at each commit: staging is neither logged nor seen by anybody else. */
export async function stage(tx: Tx, columns: readonly StagedColumn[], text: string): Promise<void> {
  const all = Object.entries(types).map(([name, type]) => `${name} ${type}`)
  await tx.rawQuery(`
    create temp table if not exists import_rows (
      line bigint, wave smallint, id uuid, contact_event uuid, customer_event uuid, ${all.join(', ')},
      email_key text generated always as (lower(email)) stored,
      contact_id uuid, changed boolean not null default false, suppressed boolean not null default false
    ) on commit delete rows`)
  await tx.copyIn(
    `copy pg_temp.import_rows (line, wave, id, contact_event, customer_event, ${columns.join(', ')}) from stdin`,
    source(text),
  )
  await tx.rawQuery('analyze pg_temp.import_rows (email_key, wave)')
  await refreshStatistics(tx, ['contacts.contacts'])
}

async function* source(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

export async function mergeBatch(tx: Tx, services: Keys, plan: MergePlan, staged: Staged): Promise<Outcome> {
  await stage(tx, plan.columns, staged.text)
  if (speaksOfConsent(plan)) await markSuppressed(tx, services)
  const outcome: Outcome = { created: 0, changed: 0, untouched: 0 }
  for (let wave = 0; wave < staged.waves; wave++) {
    const one = await mergeWave({ tx, services, plan, staged, wave, has: new Set(plan.columns) })
    outcome.created += one.created
    outcome.changed += one.changed
    outcome.untouched += one.untouched
  }
  return outcome
}

async function mergeWave(at: Wave): Promise<Outcome> {
  const { plan } = at
  const found = await matchKnown(at)
  const { created, met } = await insertNew(at)
  const known = found + met
  if (known && plan.duplicates !== 'skip') await changeKnown(at)
  await addTags(at, known > 0)
  if (plan.listId) await addToList(at, known > 0)
  if (speaksOfConsent(plan)) {
    await recordNewConsents(at)
    if (known && plan.duplicates !== 'skip') await recordKnownConsents(at)
  }
  const { changed, total } = await countWave(at)
  await tellTimeline(at)
  await publishAll(at, known > 0)
  return { created, changed, untouched: total - created - changed }
}

type Keys = Pick<Services, 'tokens'>

interface Wave {
  tx: Tx
  services: Keys
  plan: MergePlan
  staged: Staged
  wave: number
  has: Set<StagedColumn>
}

/** Whoever is there already, by address; the deleted do not count. Answers how many. */
async function matchKnown({ tx, wave }: Wave): Promise<number> {
  const { numAffectedRows } = await sql`
    update pg_temp.import_rows r set contact_id = c.id
    from contacts.contacts c
    where r.wave = ${wave} and c.workspace_id = ${tx.workspaceId} and c.email_key = r.email_key and c.deleted_at is null
  `.execute(tx.sql)
  return Number(numAffectedRows ?? 0)
}

/** Answers how many are new, and how many somebody else made in the same moment. */
async function insertNew(at: Wave): Promise<{ created: number; met: number }> {
  const { tx, plan, wave, has } = at
  const plain = plan.columns.filter(
    (name) =>
      !['email', 'tag_refs', 'status', 'created_at', 'newsletter_subscribed', 'marketing_subscribed'].includes(name),
  )
  const values = plain.map((name) => {
    const empty = name === 'custom_fields' ? `'{}'` : name === 'language' ? `'en'` : emptyValues[name]
    return sql.raw(empty ? `coalesce(r.${name}, ${empty})` : `r.${name}`)
  })
  const names = plain.map((name) => sql`, ${sql.ref(name)}`)
  const newsletter = subscribes(at, 'newsletter')
  const marketing = subscribes(at, 'marketing')
  const status = has.has('status') ? sql`coalesce(r.status, 'active')` : sql`'active'`
  const { numAffectedRows } = await sql`
    insert into contacts.contacts (workspace_id, id, email, import_id, newsletter_subscribed, marketing_subscribed, status,
      subscribed_at, unsubscribed_at, created_at, updated_at ${sql.join(names, sql``)})
    select ${tx.workspaceId}, r.id, r.email, ${plan.importId}, ${newsletter}, ${marketing}, ${status},
      case when ${newsletter} or ${marketing} then ${tx.now}::timestamptz end,
      case when ${status} <> 'active' then ${tx.now}::timestamptz end,
      ${has.has('created_at') ? sql`coalesce(r.created_at, ${tx.now})` : tx.now}, ${tx.now}
      ${values.length ? sql`, ${sql.join(values)}` : sql``}
    from pg_temp.import_rows r where r.wave = ${wave} and r.contact_id is null
    on conflict (workspace_id, email_key) where deleted_at is null do nothing
  `.execute(tx.sql)
  const created = Number(numAffectedRows ?? 0)
  // Somebody else made the same person between the two statements: then this row meets theirs.
  const late = await sql`
    update pg_temp.import_rows r set contact_id = c.id
    from contacts.contacts c
    where r.wave = ${wave} and r.contact_id is null
      and ${created} < (select count(*) from pg_temp.import_rows n where n.wave = ${wave} and n.contact_id is null)
      and c.workspace_id = ${tx.workspaceId} and c.email_key = r.email_key and c.deleted_at is null and c.id <> r.id
  `.execute(tx.sql)
  return { created, met: Number(late.numAffectedRows ?? 0) }
}

type FlaggedPurpose = 'newsletter' | 'marketing'

function speaksOfConsent({ columns, consent }: MergePlan): boolean {
  const spoken: StagedColumn[] = ['newsletter_subscribed', 'marketing_subscribed', 'status']
  return consent !== null || spoken.some((column) => columns.includes(column))
}

/** Suppressed addresses are imported, and never subscribed. */
async function markSuppressed(tx: Tx, services: Keys): Promise<void> {
  const { rows: any } =
    await sql`select from contacts.suppressions where workspace_id = ${tx.workspaceId} limit 1`.execute(tx.sql)
  if (!any.length) return
  const { rows } = await sql<{ email: string }>`select email from pg_temp.import_rows`.execute(tx.sql)
  const suppressed = await isSuppressed(
    tx,
    services,
    rows.map((row) => row.email),
  )
  if (!suppressed.size) return
  await sql`update pg_temp.import_rows set suppressed = true where email = any(${[...suppressed]}::text[])`.execute(
    tx.sql,
  )
}

/** True: the file says yes. False: it says no, or that the person has left. Null: it says nothing. */
function wish({ plan, has }: Wave, purpose: FlaggedPurpose): RawBuilder<boolean> {
  const declared = plan.consent?.[purpose] ?? null
  const column = `${purpose}_subscribed` as const
  const said = has.has(column)
    ? sql<boolean>`coalesce(${sql.ref(`r.${column}`)}, ${declared}::boolean)`
    : sql<boolean>`${declared}::boolean`
  return has.has('status') ? sql<boolean>`case when r.status <> 'active' then false else ${said} end` : said
}

/** Whether somebody new begins subscribed. */
function subscribes(at: Wave, purpose: FlaggedPurpose): RawBuilder<boolean> {
  return sql<boolean>`(coalesce(${wish(at, purpose)}, false) and not r.suppressed)`
}

/** Updates or merges those who were there, keeps what they were before, and changes no row that would stay the same. */
async function changeKnown(at: Wave): Promise<void> {
  const { tx, plan, wave } = at
  const values = changedValues(at)
  const names = [...values.keys()]
  if (!names.length) return
  const list = (prefix: string, make = (name: string) => `${prefix}${name}`): RawBuilder<unknown> =>
    sql.raw(names.map(make).join(', '))
  await sql`
    with wanted as (
      select r.line, c.id, ${list('', (name) => `c.${name} as old_${name}`)},
        ${sql.join([...values].map(([name, value]) => sql`${value} as ${sql.ref(`new_${name}`)}`))}
      from pg_temp.import_rows r
      join contacts.contacts c on c.workspace_id = ${tx.workspaceId} and c.id = r.contact_id
      where r.wave = ${wave} and r.contact_id is not null
      for update of c
    ), w as (
      select * from wanted where (${list('old_')}) is distinct from (${list('new_')})
    ), done as (
      update contacts.contacts c set ${list('', (name) => `${name} = w.new_${name}`)}
      from w where c.workspace_id = ${tx.workspaceId} and c.id = w.id
      returning c.id, c.version
    ), kept as (
      insert into contacts.import_changes as i (workspace_id, import_id, contact_id, version_after, before)
      select ${tx.workspaceId}, ${plan.importId}, w.id, done.version,
        jsonb_build_object(${list('', (name) => `'${name}', w.old_${name}`)})
      from w join done on done.id = w.id
      on conflict (workspace_id, import_id, contact_id) do update
        set version_after = excluded.version_after, before = coalesce(i.before, excluded.before)
    )
    update pg_temp.import_rows r set changed = true from w where r.line = w.line
  `.execute(tx.sql)
}

/** The new value of each column that the file can change, as an expression over the contact `c` and the staged row `r`. */
function changedValues(at: Wave): Map<string, RawBuilder<unknown>> {
  const { plan, has } = at
  const overwrites = plan.duplicates === 'update'
  const values = new Map<string, RawBuilder<unknown>>()
  for (const name of plan.columns) {
    if (handledApart.has(name)) continue
    const empty = emptyValues[name]
    const present = empty ? `nullif(c.${name}, ${empty})` : `c.${name}`
    const merged = `coalesce(${present}, r.${name}${empty ? `, ${empty}` : ''})`
    values.set(name, sql.raw(overwrites ? `coalesce(r.${name}, c.${name})` : merged))
  }
  if (has.has('phone')) {
    // The number and its international form change together or not at all.
    const takes = overwrites ? `r.phone is not null` : `c.phone is null and r.phone is not null`
    values.set('phone_key', sql.raw(`case when ${takes} then r.phone_key else c.phone_key end`))
  }
  if (has.has('language') && overwrites) values.set('language', sql`coalesce(r.language, c.language)`)
  if (has.has('notes')) {
    const appended = `case when r.notes is null or position(r.notes in c.notes) > 0 then c.notes
      when c.notes = '' then r.notes else c.notes || E'\\n' || r.notes end`
    values.set('notes', sql.raw(overwrites ? 'coalesce(r.notes, c.notes)' : appended))
  }
  if (has.has('custom_fields')) {
    const given = `coalesce(r.custom_fields, '{}'::jsonb)`
    values.set('custom_fields', sql.raw(overwrites ? `c.custom_fields || ${given}` : `${given} || c.custom_fields`))
  }
  // Only from active to something stricter: a file never brings back who has left.
  if (has.has('status'))
    values.set('status', sql.raw(`case when c.status = 'active' then coalesce(r.status, c.status) else c.status end`))
  return values
}

async function addTags({ tx, plan, staged, wave, has }: Wave, someKnown: boolean): Promise<void> {
  if (!has.has('tag_refs')) return
  const pairs = (whose: RawBuilder<unknown>): RawBuilder<unknown> => sql`
    insert into contacts.contact_tags (workspace_id, tag_id, contact_id, tagged_at, tagged_by)
    select ${tx.workspaceId}, (${[...staged.tagIds]}::uuid[])[ref], coalesce(r.contact_id, r.id), ${tx.now}, ${plan.createdBy}::uuid
    from pg_temp.import_rows r, unnest(r.tag_refs) as ref
    where r.wave = ${wave} and ${whose}`
  await sql`${pairs(sql`r.contact_id is null`)}`.execute(tx.sql)
  if (!someKnown || plan.duplicates === 'skip') return
  await sql`
    with added as (
      ${pairs(sql`r.contact_id is not null`)} on conflict do nothing returning contact_id, tag_id
    ), kept as (
      insert into contacts.import_changes as i (workspace_id, import_id, contact_id, tags_added)
      select ${tx.workspaceId}, ${plan.importId}, contact_id, array_agg(tag_id) from added group by contact_id
      on conflict (workspace_id, import_id, contact_id) do update set tags_added = i.tags_added || excluded.tags_added
    )
    update pg_temp.import_rows r set changed = true
    where r.wave = ${wave} and r.contact_id in (select contact_id from added)
  `.execute(tx.sql)
}

/** Everybody in the file is on the list afterwards, also whoever was there and is otherwise left alone. */
async function addToList({ tx, plan, wave }: Wave, someKnown: boolean): Promise<void> {
  const members = (whose: RawBuilder<unknown>): RawBuilder<unknown> => sql`
    insert into contacts.list_members (workspace_id, list_id, contact_id, added_at, added_by)
    select ${tx.workspaceId}, ${plan.listId}, coalesce(r.contact_id, r.id), ${tx.now}, ${plan.createdBy}::uuid
    from pg_temp.import_rows r where r.wave = ${wave} and ${whose}`
  await sql`${members(sql`r.contact_id is null`)}`.execute(tx.sql)
  if (!someKnown) return
  await sql`
    with added as (
      ${members(sql`r.contact_id is not null`)} on conflict do nothing returning contact_id
    )
    insert into contacts.import_changes as i (workspace_id, import_id, contact_id, listed)
    select ${tx.workspaceId}, ${plan.importId}, contact_id, true from added
    on conflict (workspace_id, import_id, contact_id) do update set listed = true
  `.execute(tx.sql)
}

/** Of somebody new only a yes is news, and that they have left; both are for the ledger. */
async function recordNewConsents(at: Wave): Promise<void> {
  const { tx, plan, wave, has } = at
  const left = has.has('status') ? sql`r.status <> 'active'` : sql`false`
  const decisionOn = (purpose: FlaggedPurpose): RawBuilder<unknown> =>
    sql`case when ${subscribes(at, purpose)} then 'granted' when ${left} then 'withdrawn' end`
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

/** With those who were there, consent's own rules decide: a yes never beats an earlier no. */
async function recordKnownConsents(at: Wave): Promise<void> {
  const { tx, services, plan, wave, has } = at
  const left = has.has('status') ? sql`r.status <> 'active'` : sql`false`
  const { rows } = await sql<{
    contact_id: string
    line: number
    newsletter: boolean | null
    marketing: boolean | null
  }>`
    select * from (
      select r.contact_id, r.line,
        case when c.newsletter_subscribed or ${left} or ${wish(at, 'newsletter')} then ${wish(at, 'newsletter')} end as newsletter,
        case when c.marketing_subscribed or ${left} or ${wish(at, 'marketing')} then ${wish(at, 'marketing')} end as marketing
      from pg_temp.import_rows r
      join contacts.contacts c on c.workspace_id = ${tx.workspaceId} and c.id = r.contact_id
      where r.wave = ${wave} and r.contact_id is not null) as said
    where newsletter is not null or marketing is not null
  `.execute(tx.sql)
  const entries = rows.flatMap(({ contact_id, line, ...said }) =>
    (['newsletter', 'marketing'] as const).flatMap((purpose): ConsentEntry[] => {
      const yes = said[purpose]
      if (yes === null) return []
      return [
        {
          contactId: contact_id,
          purpose,
          decision: yes ? 'granted' : 'withdrawn',
          source: 'import',
          wording: plan.consent?.wording ?? '',
          evidence: { ...evidenceOf(plan), line },
          actor: plan.createdBy ? { id: plan.createdBy, name: plan.createdByName } : null,
        },
      ]
    }),
  )
  const { recorded } = await recordConsent(tx, services, entries)
  if (!recorded.length) return
  const ids = [...new Set(recorded.map((entry) => entry.contactId))]
  await sql`update pg_temp.import_rows set changed = true where wave = ${wave} and contact_id = any(${ids}::uuid[])`.execute(
    tx.sql,
  )
  const subscribed = recorded.filter(({ decision }) => decision === 'granted')
  await sql`
    insert into contacts.import_changes as i (workspace_id, import_id, contact_id, subscribed)
    select ${tx.workspaceId}, ${plan.importId}, contact_id, array_agg(distinct purpose)
    from unnest(${subscribed.map((entry) => entry.contactId)}::uuid[], ${subscribed.map((entry) => entry.purpose)}::text[])
      as s(contact_id, purpose)
    group by contact_id
    on conflict (workspace_id, import_id, contact_id) do update set subscribed = i.subscribed || excluded.subscribed
  `.execute(tx.sql)
}

function evidenceOf({ importId, fileName, consent }: MergePlan): Record<string, string> {
  return { import_id: importId, file_name: fileName, ...(consent ? { declared_source: consent.source } : {}) }
}

async function countWave({ tx, wave }: Wave): Promise<{ changed: number; total: number }> {
  const { rows } = await sql<{ changed: number; total: number }>`
    select count(*) filter (where changed) as changed, count(*) as total from pg_temp.import_rows where wave = ${wave}
  `.execute(tx.sql)
  return rows[0]!
}

async function tellTimeline({ tx, plan, wave }: Wave): Promise<void> {
  await sql`
    insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, description, metadata, occurred_at,
      recorded_at, actor_id, actor_name)
    select ${tx.workspaceId}, r.id, coalesce(r.contact_id, r.id), 'imported', ${plan.fileName},
      jsonb_build_object('import_id', ${plan.importId}::text, 'line', r.line, 'created', r.contact_id is null),
      ${tx.now}, ${tx.now}, ${plan.createdBy}::uuid, ${plan.createdByName}
    from pg_temp.import_rows r where r.wave = ${wave} and (r.contact_id is null or r.changed)
  `.execute(tx.sql)
}

/** Both names of each event, with the contact as it is now, in bundles: see docs/decisions/0011. */
async function publishAll(at: Wave, someKnown: boolean): Promise<void> {
  const { plan, has, wave } = at
  // Of somebody new, everything stands in the staged row already.
  const staged = (name: StagedColumn, otherwise: string): RawBuilder<unknown> =>
    sql.raw(has.has(name) ? `coalesce(r.${name}, ${otherwise})` : otherwise)
  const made = sql`
    select '.created' as verb, r.contact_event, r.customer_event, r.line, r.id, r.email,
      ${staged('first_name', `''`)} as first_name, ${staged('last_name', `''`)} as last_name,
      ${staged('company', 'null::text')} as company, ${staged('source', 'null::text')} as source
    from pg_temp.import_rows r where r.wave = ${wave} and r.contact_id is null`
  const changed = sql`
    select '.updated', r.contact_event, r.customer_event, r.line, c.id, c.email, c.first_name, c.last_name, c.company, c.source
    from pg_temp.import_rows r
    join contacts.contacts c on c.workspace_id = ${at.tx.workspaceId} and c.id = r.contact_id
    where r.wave = ${wave} and r.contact_id is not null and r.changed`
  const all = someKnown && plan.duplicates !== 'skip' ? sql`${made} union all ${changed}` : made
  // The ids are the rows' own: an event keeps its id however often its bundle is opened.
  await publishBundles(
    at.tx,
    plan.importId,
    sql`
      select noun || verb, case noun when 'contact' then contact_event else customer_event end, id, data,
        row_number() over (partition by noun order by line)
      from (
        select verb, contact_event, customer_event, line, id,
          jsonb_build_object('contact_id', id, 'customer_id', id, 'email', email, 'first_name', first_name,
            'last_name', last_name, 'full_name', trim(first_name || ' ' || last_name), 'company', company,
            'source', source, 'import_id', ${plan.importId}::text) as data
        from (${all}) as contact offset 0) as told
      cross join (values ('contact'), ('customer')) as e (noun)`,
  )
}

/** The counts that `mergeBatch` would answer; `repeats` are addresses that an earlier batch of the file had. */
export async function countWould(
  tx: Tx,
  services: Keys,
  plan: MergePlan,
  batch: { text: string; waves: number; tagNames: readonly string[]; repeats: string[] },
): Promise<Outcome> {
  await stage(tx, plan.columns, batch.text)
  if (speaksOfConsent(plan)) await markSuppressed(tx, services)
  const staged: Staged = { text: '', waves: batch.waves, tagIds: [] }
  const at: Wave = { tx, services, plan, staged, wave: 0, has: new Set(plan.columns) }
  await matchKnown(at)
  const changes = plan.duplicates === 'skip' ? sql`false` : wouldChange(at, batch.tagNames)
  const { rows } = await sql<Outcome>`
    select count(*) filter (where what = 'created') as created, count(*) filter (where what = 'changed') as changed,
      count(*) filter (where what = 'untouched') as untouched
    from (
      select case
        when r.wave > 0 or r.email_key = any(${batch.repeats}::text[]) then ${plan.duplicates === 'skip' ? 'untouched' : 'changed'}
        when c.id is null then 'created'
        when ${changes} then 'changed'
        else 'untouched' end as what
      from pg_temp.import_rows r
      left join contacts.contacts c on c.workspace_id = ${tx.workspaceId} and c.id = r.contact_id
    ) as would
  `.execute(tx.sql)
  return rows[0]!
}

function wouldChange(at: Wave, tagNames: readonly string[]): RawBuilder<unknown> {
  const tests = [...changedValues(at)].map(([name, value]) => sql`${sql.ref(`c.${name}`)} is distinct from ${value}`)
  if (at.has.has('tag_refs')) {
    tests.push(sql`exists (
      select from unnest(r.tag_refs) as ref where not exists (
        select from contacts.contact_tags ct join contacts.tags t on t.workspace_id = ct.workspace_id and t.id = ct.tag_id
        where ct.workspace_id = c.workspace_id and ct.contact_id = c.id
          and lower(t.name) = lower((${[...tagNames]}::text[])[ref])))`)
  }
  if (speaksOfConsent(at.plan)) {
    for (const purpose of ['newsletter', 'marketing'] as const) {
      const flag = sql.ref(`c.${purpose}_subscribed`)
      tests.push(sql`(${flag} and ${wish(at, purpose)} is false)`)
      tests.push(sql`(not ${flag} and ${subscribes(at, purpose)} and c.status = 'active' and coalesce((
        select k.decision from contacts.consents k
        where k.workspace_id = c.workspace_id and k.contact_id = c.id and k.purpose = ${purpose} and k.decision <> 'pending'
        order by k.recorded_at desc, k.id desc limit 1), '') <> 'withdrawn')`)
    }
  }
  return tests.length ? sql`(${sql.join(tests, sql` or `)})` : sql`false`
}
