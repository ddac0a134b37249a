/**
 * One batch of an import, from staged lines to contacts, with one statement per table. Rows that carry the same address
 * go in waves, so that the second row of a person meets what the first one wrote, exactly as if rows came one by one.
 */
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
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
  /** Address keys that nothing may be sent to. */
  suppressed: readonly string[]
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
      line bigint, wave smallint, id uuid, ${all.join(', ')},
      email_key text generated always as (lower(email)) stored,
      contact_id uuid, changed boolean not null default false,
      newsletter_change boolean, marketing_change boolean
    ) on commit delete rows`)
  await tx.copyIn(`copy pg_temp.import_rows (line, wave, id, ${columns.join(', ')}) from stdin`, source(text))
  await tx.rawQuery('analyze pg_temp.import_rows')
}

async function* source(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

export async function mergeBatch(tx: Tx, plan: MergePlan, staged: Staged): Promise<Outcome> {
  await stage(tx, plan.columns, staged.text)
  const outcome: Outcome = { created: 0, changed: 0, untouched: 0 }
  for (let wave = 0; wave < staged.waves; wave++) {
    const one = await mergeWave(tx, plan, staged, wave)
    outcome.created += one.created
    outcome.changed += one.changed
    outcome.untouched += one.untouched
  }
  return outcome
}

async function mergeWave(tx: Tx, plan: MergePlan, staged: Staged, wave: number): Promise<Outcome> {
  const at: Wave = { tx, plan, staged, wave, has: new Set(plan.columns) }
  const known = await matchKnown(at)
  const created = await insertNew(at)
  if (known && plan.duplicates !== 'skip') await changeKnown(at)
  await addTags(at, known > 0)
  if (plan.listId) await addToList(at, known > 0)
  await recordConsents(at)
  const { changed, total } = await countWave(at)
  await tellTimeline(at)
  await publishAll(at)
  return { created, changed, untouched: total - created - changed }
}

interface Wave {
  tx: Tx
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

async function insertNew(at: Wave): Promise<number> {
  const { tx, plan, wave, has } = at
  const plain = plan.columns.filter((name) => !['email', 'tag_refs', 'status', 'created_at', 'newsletter_subscribed', 'marketing_subscribed'].includes(name))
  const values = plain.map((name) => {
    const empty = name === 'custom_fields' ? `'{}'` : name === 'language' ? `'en'` : emptyValues[name]
    return sql.raw(empty ? `coalesce(r.${name}, ${empty})` : `r.${name}`)
  })
  const names = plain.map((name) => sql`, ${sql.ref(name)}`)
  const newsletter = wish(at, 'newsletter')
  const marketing = wish(at, 'marketing')
  const status = has.has('status') ? sql`coalesce(r.status, 'active')` : sql`'active'`
  const { numAffectedRows } = await sql`
    insert into contacts.contacts (workspace_id, id, email, import_id, newsletter_subscribed, marketing_subscribed, status,
      subscribed_at, unsubscribed_at, created_at, updated_at ${sql.join(names, sql``)})
    select ${tx.workspaceId}, r.id, r.email, ${plan.importId}, coalesce(${newsletter}, false), coalesce(${marketing}, false), ${status},
      case when ${newsletter} or ${marketing} then ${tx.now}::timestamptz end,
      case when ${status} <> 'active' then ${tx.now}::timestamptz end,
      ${has.has('created_at') ? sql`coalesce(r.created_at, ${tx.now})` : tx.now}, ${tx.now}
      ${values.length ? sql`, ${sql.join(values)}` : sql``}
    from pg_temp.import_rows r where r.wave = ${wave} and r.contact_id is null
    on conflict (workspace_id, email_key) where deleted_at is null do nothing
  `.execute(tx.sql)
  const created = Number(numAffectedRows ?? 0)
  // Somebody else made the same person between the two statements: then this row meets theirs.
  await sql`
    update pg_temp.import_rows r set contact_id = c.id
    from contacts.contacts c
    where r.wave = ${wave} and r.contact_id is null
      and ${created} < (select count(*) from pg_temp.import_rows n where n.wave = ${wave} and n.contact_id is null)
      and c.workspace_id = ${tx.workspaceId} and c.email_key = r.email_key and c.deleted_at is null and c.id <> r.id
  `.execute(tx.sql)
  return created
}

type Purpose = 'newsletter' | 'marketing'

/**
 * True: subscribe, if nothing speaks against it. False: unsubscribe. Null: the file says nothing. A person who is not
 * reachable is not subscribed, nor is a suppressed address.
 */
function wish({ plan, staged, has }: Wave, purpose: Purpose): RawBuilder<boolean> {
  const declared = plan.consent?.[purpose] ?? null
  const column: StagedColumn = `${purpose}_subscribed`
  const said = has.has(column) ? sql`coalesce(${sql.ref(`r.${column}`)}, ${declared}::boolean)` : sql`${declared}::boolean`
  const free = staged.suppressed.length
    ? sql`case when ${said} and r.email_key = any(${[...staged.suppressed]}::text[]) then null else ${said} end`
    : said
  return has.has('status') ? sql<boolean>`case when r.status <> 'active' then false else ${free} end` : sql<boolean>`(${free})`
}

/** Updates or merges those who were there, keeps what they were before, and changes no row that would stay the same. */
async function changeKnown(at: Wave): Promise<void> {
  const { tx, plan, wave } = at
  const values = changedValues(at)
  const names = [...values.keys()]
  if (!names.length) return
  const list = (prefix: string, make = (name: string) => `${prefix}${name}`): RawBuilder<unknown> => sql.raw(names.map(make).join(', '))
  const flags = names.includes('newsletter_subscribed')
  const change = (purpose: Purpose): RawBuilder<unknown> =>
    sql.raw(`case when w.old_${purpose}_subscribed <> w.new_${purpose}_subscribed then w.new_${purpose}_subscribed end`)
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
    update pg_temp.import_rows r set changed = true
      ${flags ? sql`, newsletter_change = ${change('newsletter')}, marketing_change = ${change('marketing')}` : sql``}
    from w where r.line = w.line
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
  if (plan.consent || has.has('newsletter_subscribed') || has.has('marketing_subscribed') || has.has('status')) {
    for (const purpose of ['newsletter', 'marketing'] as const) values.set(`${purpose}_subscribed`, subscription(at, purpose))
    const loses = sql`(c.newsletter_subscribed and ${wish(at, 'newsletter')} is false) or (c.marketing_subscribed and ${wish(at, 'marketing')} is false)`
    values.set('unsubscribed_at', sql`case when ${loses} then ${at.tx.now}::timestamptz else c.unsubscribed_at end`)
    const gains = (purpose: Purpose): RawBuilder<unknown> =>
      sql`(not ${sql.ref(`c.${purpose}_subscribed`)} and ${subscription(at, purpose)})`
    const subscribes = sql`${gains('newsletter')} or ${gains('marketing')}`
    values.set('subscribed_at', sql`case when ${subscribes} then ${at.tx.now}::timestamptz else c.subscribed_at end`)
  }
  // Only from active to something stricter: a file never brings back who has left.
  if (has.has('status')) values.set('status', sql.raw(`case when c.status = 'active' then coalesce(r.status, c.status) else c.status end`))
  return values
}

/** A yes subscribes only whoever has never said no; a no always unsubscribes. */
function subscription(at: Wave, purpose: Purpose): RawBuilder<unknown> {
  const flag = sql.ref(`c.${purpose}_subscribed`)
  const said = wish(at, purpose)
  const refused = sql`(c.status <> 'active' or c.unsubscribed_at is not null or coalesce((
    select k.decision from contacts.consents k
    where k.workspace_id = c.workspace_id and k.contact_id = c.id and k.purpose = ${purpose}
    order by k.recorded_at desc, k.id desc limit 1), '') = 'withdrawn')`
  return sql`case when ${said} is false then false when ${said} and not ${flag} then not ${refused} else ${flag} end`
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

/** The ledger: who declared what, in which words, about whom. */
async function recordConsents(at: Wave): Promise<void> {
  const { tx, plan, wave, has } = at
  if (!plan.consent && !has.has('newsletter_subscribed') && !has.has('marketing_subscribed') && !has.has('status')) return
  const wording = plan.consent?.wording ?? ''
  const left = has.has('status') ? sql`r.status <> 'active'` : sql`false`
  // Of somebody new only a yes is news, and the leaving that a status tells; of others what has changed.
  const decisionOn = (purpose: Purpose): RawBuilder<unknown> => sql`case
    when r.contact_id is not null then ${sql.ref(`r.${purpose}_change`)}
    when ${wish(at, purpose)} then true
    when ${left} then false end`
  await sql`
    insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, wording, wording_sha256, evidence,
      actor_id, actor_name, recorded_at)
    select ${tx.workspaceId}, gen_random_uuid(), coalesce(r.contact_id, r.id), p.purpose,
      case when p.granted then 'granted' else 'withdrawn' end, ${plan.consent?.source ?? 'import'}, ${wording},
      ${wording ? sql`encode(sha256(convert_to(${wording}, 'UTF8')), 'hex')` : ''},
      jsonb_build_object('import_id', ${plan.importId}::text, 'file_name', ${plan.fileName}::text, 'line', r.line),
      ${plan.createdBy}::uuid, ${plan.createdByName}, ${tx.now}
    from pg_temp.import_rows r
    cross join lateral (values ('newsletter', ${decisionOn('newsletter')}), ('marketing', ${decisionOn('marketing')})) as p (purpose, granted)
    where r.wave = ${wave} and p.granted is not null
  `.execute(tx.sql)
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

/** Both names of each event, with the contact as it is now. */
async function publishAll({ tx, plan, wave }: Wave): Promise<void> {
  await sql`
    insert into platform.outbox (id, workspace_id, event, subject, data, created_at)
    select gen_random_uuid(), ${tx.workspaceId}, e.event, c.id::text, e.data, ${tx.now}
    from pg_temp.import_rows r
    join contacts.contacts c on c.workspace_id = ${tx.workspaceId} and c.id = coalesce(r.contact_id, r.id)
    cross join lateral (values
      (case when r.contact_id is null then 'contact.created' else 'contact.updated' end,
        jsonb_build_object('contact_id', c.id, 'email', c.email, 'first_name', c.first_name, 'last_name', c.last_name,
          'company', c.company, 'phone', c.phone, 'source', c.source, 'status', c.status, 'import_id', ${plan.importId}::text)),
      (case when r.contact_id is null then 'customer.created' else 'customer.updated' end,
        jsonb_build_object('customer_id', c.id, 'email', c.email,
          'full_name', trim(c.first_name || ' ' || c.last_name), 'phone', c.phone, 'import_id', ${plan.importId}::text))
    ) as e (event, data)
    where r.wave = ${wave} and (r.contact_id is null or r.changed)
  `.execute(tx.sql)
}
