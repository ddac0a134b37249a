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
 * hundredth is new, a thousandth unsubscribed; 20 tags and 12 lists of very different sizes.
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
  await run(
    `insert into contacts.contacts (workspace_id, id, email, first_name, last_name, company, phone, phone_key, language, source,
       status, is_active, newsletter_subscribed, marketing_subscribed, engagement_score, total_emails_opened, last_email_opened_at,
       total_bookings, last_booking_date, total_orders, lifetime_value, custom_fields, created_at)
     select $1, id, lower('p' || n || '.' || substr(md5(n::text), 1, 6) || '@d' || n % 500 || '.example'), first_name, last_name,
       case when n % 10 < 7 then 'Maison ' || last_name || ' ' || n % 300 end,
       '+336' || lpad((n % 100000000)::text, 8, '0'), '+336' || lpad((n % 100000000)::text, 8, '0'),
       (array['fr', 'ro', 'en', 'de'])[1 + n % 4], (array['form', 'import', 'manual', 'booking'])[1 + n % 4],
       case when n % 1000 = 0 then 'unsubscribed' when n % 1777 = 0 then 'bounced' else 'active' end,
       n % 50 <> 0, n % 3 = 0, n % 4 = 0, case when n % 5 = 0 then (n * 7919) % 90 else 0 end,
       case when n % 5 = 0 then n % 30 else 0 end,
       case when n % 5 = 0 then now() - (n % 400) * interval '1 day' end,
       case when n % 6 = 0 then n % 9 else 0 end,
       case when n % 6 = 0 then now() - (n % 700) * interval '1 day' end,
       case when n % 8 = 0 then n % 12 else 0 end, case when n % 8 = 0 then (n % 50000) / 100.0 else 0 end,
       jsonb_build_object('city', (array['Paris', 'Cluj', 'Lyon', 'Iași', 'London'])[1 + n % 5], 'seats', n % 40),
       now() - (n::bigint * 63115200 / ${contacts}) * interval '1 second'
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
  await makeTimelines(client, workspaceId, contacts, timelineRows)
  await run('vacuum analyze contacts.contacts, contacts.contact_tags, contacts.list_members, contacts.interactions')
  return { workspaceId, listIds: lists.rows.map((row: { id: string }) => row.id), contacts }
}

/** Over two years, denser towards today; in pieces, so that the database never has to sort them all. */
async function makeTimelines(client: pg.Client, workspaceId: string, contacts: number, rows: number): Promise<void> {
  const piece = 500_000
  for (let first = 0; first < rows; first += piece) {
    await client.query(
      `insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, description, occurred_at)
       select $1, gen_random_uuid(), crowd.id,
         (array['email_sent', 'email_opened', 'email_sent', 'email_clicked', 'purchase', 'booking_created', 'contact_updated'])[1 + k % 7],
         '', now() - power((k * 48271::bigint % 100003) / 100003.0, 2) * interval '730 days'
       from generate_series($2::bigint, $3::bigint) as k
       join crowd on crowd.n = 1 + (k * 7919) % ${contacts}`,
      [workspaceId, first, Math.min(rows, first + piece) - 1],
    )
  }
}
