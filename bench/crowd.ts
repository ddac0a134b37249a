/** A workspace full of contacts with their tags, lists and timelines, made inside the database: for benchmarks of reading. */
import type pg from 'pg'
import { newId } from '../server/platform/ids.ts'

export interface Crowd {
  workspaceId: string
  listIds: string[]
  contacts: number
}

const firstNames =
  'Ana,Maria,Élodie,Ștefan,Ion,Camille,Léa,Hugo,Chloé,Louis,Mihai,Ioana,James,Olivia,Jürgen,Sofía,美咲,健,伟,Анна'
const syllables = 'ba,co,du,fe,gi,ha,jo,ka,le,mi,no,pa,que,ri,so,tu,va,wi,xo,ze,bra,cli,dro,fla,gre,pri,sto,tra'

/**
 * Deterministic: everything follows from the number of the row. A fifth of the people opened something, every
 * hundredth is new, a thousandth unsubscribed; 20 tags and 12 lists of very different sizes; orders, bookings, tickets, consents.
 */
export async function makeCrowd(client: pg.Client, contacts: number, timelineRows: number): Promise<Crowd> {
  const workspaceId = newId()
  const run = (text: string, values: unknown[] = []) => client.query(text, values)
  await run(`insert into accounts.workspaces (id, name, slug) values ($1, 'Crowd', 'crowd-' || $2)`, [
    workspaceId,
    workspaceId,
  ])
  await run(`
    create temporary table crowd as
    select n, md5('crowd ' || n)::uuid as id,
      (string_to_array('${firstNames}', ','))[1 + n % 20] as first_name,
      initcap((string_to_array('${syllables}', ','))[1 + (n / 3) % 28] || (string_to_array('${syllables}', ','))[1 + (n / 7) % 28]
        || (string_to_array('${syllables}', ','))[1 + (n / 191) % 28]) as last_name
    from generate_series(1, ${contacts}) as n`)
  // Two custom fields with copies that an index serves; a third value, hobby, that no definition knows.
  await run(
    `insert into contacts.custom_fields (workspace_id, id, key, label, type, filterable, position, indexed_at)
     values ($1, gen_random_uuid(), 'city', 'City', 'text', true, 1, now()),
       ($1, gen_random_uuid(), 'seats', 'Seats', 'number', true, 2, now()),
       ($1, gen_random_uuid(), 'table_no', 'Table', 'number', false, 3, null)`,
    [workspaceId],
  )
  await run(`select set_config('rapport.workspace_id', $1, false)`, [workspaceId])
  await run(
    `insert into contacts.contacts (workspace_id, id, email, first_name, last_name, company, phone, phone_key, language, source,
       status, is_active, newsletter_subscribed, marketing_subscribed, engagement_score, total_emails_opened, last_email_opened_at,
       last_engaged_at, total_bookings, last_booking_date, total_orders, last_order_date, lifetime_value, total_tickets, open_tickets,
       custom_fields, created_at, updated_at)
     select $1, id, lower('p' || n || '.' || substr(md5(n::text), 1, 6) || '@d' || n % 500 || '.example'), first_name, last_name,
       case when n % 10 < 7 then 'Maison ' || last_name || ' ' || n % 300 end,
       '+336' || lpad((n % 100000000)::text, 8, '0'), '+336' || lpad((n % 100000000)::text, 8, '0'),
       (array['fr', 'ro', 'en', 'de'])[1 + n % 4], (array['form', 'import', 'manual', 'booking'])[1 + n % 4],
       case when n % 1000 = 0 then 'unsubscribed' when n % 1777 = 0 then 'bounced' else 'active' end,
       n % 50 <> 0, n % 3 = 0, n % 4 = 0, case when n % 5 = 0 then (n::bigint * 7919) % 90 else 0 end,
       case when n % 5 = 0 then n % 30 else 0 end,
       case when n % 5 = 0 then now() - (n % 400) * interval '1 day' end,
       case when n % 5 = 0 then now() - (n % 400) * interval '1 day' end,
       case when n % 6 = 0 then n % 9 else 0 end,
       case when n % 6 = 0 then now() - (n % 700) * interval '1 day' end,
       case when n % 8 = 0 then n % 12 else 0 end,
       case when n % 8 = 0 then now() - (n % 500) * interval '1 day' end,
       case when n % 8 = 0 then (n % 50000) / 100.0 else 0 end,
       case when n % 30 = 0 then 1 + n % 4 else 0 end, case when n % 300 = 0 then 1 else 0 end,
       jsonb_build_object('city', (array['Paris', 'Cluj', 'Lyon', 'Iași', 'London'])[1 + n % 5], 'seats', n % 40,
         'table_no', n % 400, 'hobby', (array['wine', 'chess', 'sailing'])[1 + n % 3]),
       now() - (n::bigint * 63115200 / ${contacts}) * interval '1 second',
       now() - (n::bigint * 7919 % 63115200) * interval '1 second'
     from crowd`,
    [workspaceId],
  )
  await run(
    `with made as (
       insert into contacts.tags (workspace_id, id, name, slug)
       select $1, gen_random_uuid(), 'tag ' || k, 'tag-' || k from generate_series(1, 20) as k returning id, name)
     insert into contacts.contact_tags (workspace_id, tag_id, contact_id)
     select $1, made.id, crowd.id from made join crowd on crowd.n % (substr(made.name, 5)::int * substr(made.name, 5)::int + 1) = 0`,
    [workspaceId],
  )
  const lists = await run(
    `with made as (
       insert into contacts.lists (workspace_id, id, name)
       select $1, gen_random_uuid(), 'list ' || k from generate_series(1, 12) as k returning id, name)
     , members as (
       insert into contacts.list_members (workspace_id, list_id, contact_id)
       select $1, made.id, crowd.id from made join crowd on crowd.n % power(3, substr(made.name, 6)::int)::int = 1)
     select id from made order by name`,
    [workspaceId],
  )
  await makeConsents(client, workspaceId)
  await makeTimelines(client, workspaceId, contacts, timelineRows)
  await run(`vacuum analyze contacts.contacts, contacts.contact_tags, contacts.list_members, contacts.interactions,
    contacts.custom_values, contacts.consents, contacts.lists, contacts.tags`)
  return { workspaceId, listIds: lists.rows.map((row: { id: string }) => row.id), contacts }
}

/** An entry for each flag that is set, and some who were asked and never answered, or said no. */
async function makeConsents(client: pg.Client, workspaceId: string): Promise<void> {
  await client.query(
    `insert into contacts.consents (workspace_id, id, contact_id, purpose, decision, source, recorded_at)
     select $1, gen_random_uuid(), id, purpose, decision, 'form', now() - (n % 600) * interval '1 day'
     from crowd, lateral (values
       ('newsletter', case when n % 3 = 0 then 'granted' when n % 11 = 0 then 'pending' when n % 29 = 0 then 'withdrawn' end),
       ('marketing', case when n % 4 = 0 then 'granted' when n % 31 = 0 then 'withdrawn' end)) as asked (purpose, decision)
     where decision is not null`,
    [workspaceId],
  )
}

/** Over two years, denser towards today; in pieces, so that the database never has to sort them all. */
async function makeTimelines(client: pg.Client, workspaceId: string, contacts: number, rows: number): Promise<void> {
  // As the worker makes them while a timeline grows.
  await client.query(`
    select contacts.add_interaction_partition(month) from (
      select (date_trunc('month', now() at time zone 'UTC') - make_interval(months => n))::date as month from generate_series(0, 24) as n) as months
    where to_regclass(to_char(month, '"contacts_parts.interactions_"YYYY_MM')) is null`)
  const piece = 500_000
  for (let first = 0; first < rows; first += piece) {
    await client.query(
      `insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, description, occurred_at)
       select $1, gen_random_uuid(), crowd.id,
         (array['email_sent', 'email_opened', 'email_sent', 'email_clicked', 'purchase', 'booking_created', 'contact_updated',
           'ticket_created'])[1 + k % 8],
         '', now() - power((k * 48271::bigint % 100003) / 100003.0, 2) * interval '730 days'
       from generate_series($2::bigint, $3::bigint) as k
       join crowd on crowd.n = 1 + (k * 7919) % ${contacts}`,
      [workspaceId, first, Math.min(rows, first + piece) - 1],
    )
  }
}
