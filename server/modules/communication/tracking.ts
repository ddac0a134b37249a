/**
 * Writes opens and clicks down, many at once. A message counts once per person however often it is opened; machines
 * count apart. Nothing is kept of the request: no address, no browser.
 */
import { sql } from 'kysely'
import { recordEngagement, trackingAllowed, type EngagementEntry } from '#modules/contacts/index.ts'
import type { Tx } from '#platform/db/db.ts'
import type { Services } from '#platform/services.ts'
import { judgeHits } from './machine.ts'
import type { TrackedHit } from './tracking-buffer.ts'
import type { ClickRef } from './tracking-tokens.ts'

interface DeliveryRow {
  id: string
  campaign_id: string
  contact_id: string
  tracked: boolean
  given_at: Date | null
  links: number
}

interface Fact {
  delivery: DeliveryRow
  hit: TrackedHit
  machine: boolean
}

/** Where a click leads: the address that the campaign's table has, or the one that was signed. Null leads nowhere. */
export async function findTarget(tx: Tx, click: ClickRef): Promise<string | null> {
  const { rows } = await sql<{ url: string }>`
    select l.url from communication.deliveries d
    join communication.links l on l.workspace_id = d.workspace_id and l.campaign_id = d.campaign_id and l.number = ${click.number}
    where d.workspace_id = ${tx.workspaceId} and d.id = ${click.deliveryId}`.execute(tx.sql)
  const address = click.target ?? rows[0]?.url
  if (!rows[0] || !address || !URL.canParse(address)) return null
  const { protocol, href } = new URL(address)
  return protocol === 'https:' || protocol === 'http:' ? href : null
}

export async function writeHits(tx: Tx, services: Pick<Services, 'config'>, hits: TrackedHit[]): Promise<void> {
  const deliveries = await lockDeliveries(tx, [...new Set(hits.map((hit) => hit.deliveryId))])
  const allowed = await trackingAllowed(
    tx,
    [...deliveries.values()].map((delivery) => delivery.contact_id),
  )
  const facts = [...Map.groupBy(hits, (hit) => hit.deliveryId)].flatMap(([id, own]) => {
    const delivery = deliveries.get(id)
    if (!delivery) return []
    const reasons = judgeHits(own, delivery.given_at, delivery.links)
    return own
      .map((hit, index) => ({ delivery, hit, machine: reasons[index] !== null }))
      .filter(({ hit }) => mayRecord(hit, delivery, allowed.has(delivery.contact_id)))
  })
  if (!facts.length) return
  await countOnDeliveries(tx, facts)
  const urls = await countOnLinks(tx, facts)
  await recordEngagement(
    tx,
    services,
    facts.map((fact) => toEngagement(fact, urls)),
  )
}

/**
 * An open is recorded for those alone who allow it now, also for mails sent before they said no. A click is an act of
 * the person's own; it is left out for those who allowed tracking once and have taken that back.
 */
function mayRecord(hit: TrackedHit, delivery: DeliveryRow, allowsNow: boolean): boolean {
  return allowsNow || (hit.kind === 'click' && !delivery.tracked)
}

/** In the order of ids, so that two processes with the same hits wait for each other instead of blocking each other. */
async function lockDeliveries(tx: Tx, ids: string[]): Promise<Map<string, DeliveryRow>> {
  const { rows } = await sql<DeliveryRow>`
    select d.id, d.campaign_id, d.contact_id, d.tracked, coalesce(d.sent_at, d.handed_over_at) as given_at,
      (select count(*)::int from communication.links l
       where l.workspace_id = d.workspace_id and l.campaign_id = d.campaign_id) as links
    from communication.deliveries d
    where d.workspace_id = ${tx.workspaceId} and d.id = any(${ids}::uuid[])
    order by d.id for no key update of d`.execute(tx.sql)
  return new Map(rows.map((row) => [row.id, row]))
}

async function countOnDeliveries(tx: Tx, facts: Fact[]): Promise<void> {
  const rows = facts.map(({ delivery, hit, machine }) => ({ id: delivery.id, kind: hit.kind, at: hit.at, machine }))
  await sql`
    with facts as (
      select id,
        count(*) filter (where kind = 'open' and not machine) as opens,
        count(*) filter (where kind = 'open' and machine) as opens_machine,
        min(at) filter (where kind = 'open' and not machine) as opened_at,
        count(*) filter (where kind = 'click' and not machine) as clicks,
        count(*) filter (where kind = 'click' and machine) as clicks_machine,
        min(at) filter (where kind = 'click' and not machine) as clicked_at
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as fact(id uuid, kind text, at timestamptz, machine boolean)
      group by id)
    update communication.deliveries d set
      opens = d.opens + f.opens, opens_machine = d.opens_machine + f.opens_machine,
      clicks = d.clicks + f.clicks, clicks_machine = d.clicks_machine + f.clicks_machine,
      opened_at = least(d.opened_at, f.opened_at), clicked_at = least(d.clicked_at, f.clicked_at)
    from facts f where d.workspace_id = ${tx.workspaceId} and d.id = f.id`.execute(tx.sql)
}

/** A link's unique clicks are the people who followed it; answers the addresses, for the timeline. */
async function countOnLinks(tx: Tx, facts: Fact[]): Promise<Map<string, string>> {
  const clicks = facts.flatMap(({ delivery, hit, machine }) => {
    if (hit.kind !== 'click' || hit.number === null) return []
    return [
      { campaign_id: delivery.campaign_id, number: hit.number, contact_id: delivery.contact_id, at: hit.at, machine },
    ]
  })
  if (!clicks.length) return new Map()
  const { rows } = await sql<{ campaign_id: string; number: number; url: string }>`
    with facts as (
      select f.campaign_id, f.number, f.contact_id, min(f.at) as first_at,
        count(*) filter (where not f.machine) as clicks, count(*) filter (where f.machine) as clicks_machine
      from jsonb_to_recordset(${JSON.stringify(clicks)}::jsonb)
        as f(campaign_id uuid, number int, contact_id uuid, at timestamptz, machine boolean)
      join communication.links l on l.workspace_id = ${tx.workspaceId} and l.campaign_id = f.campaign_id and l.number = f.number
      group by f.campaign_id, f.number, f.contact_id
    ), sums as (
      select f.campaign_id, f.number, sum(f.clicks)::int as clicks, sum(f.clicks_machine)::int as clicks_machine,
        count(*) filter (where f.clicks > 0 and not exists (
          select from communication.link_clicks c where c.workspace_id = ${tx.workspaceId} and c.campaign_id = f.campaign_id
            and c.number = f.number and c.contact_id = f.contact_id and c.clicks > 0))::int as fresh
      from facts f group by f.campaign_id, f.number
    ), kept as (
      insert into communication.link_clicks as c (workspace_id, campaign_id, number, contact_id, first_at, clicks, clicks_machine)
      select ${tx.workspaceId}::uuid, campaign_id, number, contact_id, first_at, clicks, clicks_machine from facts
      on conflict (workspace_id, campaign_id, number, contact_id)
      do update set clicks = c.clicks + excluded.clicks, clicks_machine = c.clicks_machine + excluded.clicks_machine
    )
    update communication.links l set clicks = l.clicks + s.clicks, clicks_machine = l.clicks_machine + s.clicks_machine,
      unique_clicks = l.unique_clicks + s.fresh
    from sums s where l.workspace_id = ${tx.workspaceId} and l.campaign_id = s.campaign_id and l.number = s.number
    returning l.campaign_id, l.number, l.url`.execute(tx.sql)
  return new Map(rows.map((row) => [`${row.campaign_id} ${row.number}`, row.url]))
}

/** The source key makes a message, or one of its links, count once per person; a machine's visit has a key of its own. */
function toEngagement({ delivery, hit, machine }: Fact, urls: Map<string, string>): EngagementEntry {
  const what = hit.kind === 'open' ? `open:${delivery.id}` : `click:${delivery.id}:${hit.number ?? ''}`
  const url = hit.number === null ? undefined : urls.get(`${delivery.campaign_id} ${hit.number}`)
  return {
    contactId: delivery.contact_id,
    type: hit.kind === 'open' ? 'opened' : 'clicked',
    campaignId: delivery.campaign_id,
    occurredAt: hit.at,
    machine,
    sourceKey: machine ? `${what}:machine` : what,
    ...(url ? { metadata: { url } } : {}),
  }
}
