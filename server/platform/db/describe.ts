/**
 * The whole shape of the database as one readable text, asked from the catalogue: `server/schema.sql`. For reading; the
 * migrations alone make a database.
 */
import type pg from 'pg'

export async function describeSchema(client: pg.ClientBase, schemas: readonly string[]): Promise<string> {
  // Names print with their schema where none is in the path.
  await client.query(`select set_config('search_path', 'pg_catalog', false)`)
  const parts: string[] = []
  for (const schema of schemas) {
    parts.push(`-- ${schema} ${'-'.repeat(Math.max(3, 110 - schema.length))}`)
    parts.push(...(await describeTables(client, schema)))
    parts.push(...(await listTexts(client, viewsQuery, schema)))
    parts.push(...(await listTexts(client, functionsQuery, schema)))
  }
  return `${parts.join('\n\n')}\n`
}

interface Table {
  oid: number
  name: string
  /** ` partition by …`, or nothing. Partitions themselves come and go with the months, and are not shown. */
  partitioned: string
}

async function describeTables(client: pg.ClientBase, schema: string): Promise<string[]> {
  const { rows: tables } = await client.query<Table>(
    `select c.oid::int as oid, format('%I.%I', n.nspname, c.relname) as name,
       coalesce(' partition by ' || pg_get_partkeydef(c.oid), '') as partitioned
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition order by c.relname`,
    [schema],
  )
  const described: string[] = []
  for (const { oid, name, partitioned } of tables) {
    const body = [...(await listTexts(client, columnsQuery, oid)), ...(await listTexts(client, constraintsQuery, oid))]
    const rest: string[] = []
    for (const query of [indexesQuery, triggersQuery, policiesQuery, grantsQuery])
      rest.push(...(await listTexts(client, query, oid)))
    described.push(
      [`create table ${name} (\n${body.map((line) => `  ${line}`).join(',\n')}\n)${partitioned};`, ...rest].join('\n'),
    )
  }
  return described
}

async function listTexts(client: pg.ClientBase, query: string, subject: string | number): Promise<string[]> {
  const { rows } = await client.query<{ text: string }>(query, [subject])
  return rows.map(({ text }) => text.trim())
}

const columnsQuery = `
  select concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
    case when a.attnotnull then 'not null' end,
    case when a.attidentity <> '' then 'generated always as identity' end,
    case when a.attgenerated = 's' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
         when d.adbin is not null then 'default ' || pg_get_expr(d.adbin, d.adrelid) end) as text
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`

const constraintsQuery = `
  select format('constraint %I %s', conname, pg_get_constraintdef(oid)) as text from pg_constraint
  where conrelid = $1 and contype in ('p', 'u', 'f', 'c', 'x') order by array_position(array['p', 'u', 'f', 'c', 'x'], contype::text), conname`

const indexesQuery = `
  select pg_get_indexdef(i.indexrelid) || ';' as text from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = $1 and not exists (select from pg_constraint k where k.conindid = i.indexrelid) order by c.relname`

const triggersQuery = `
  select pg_get_triggerdef(oid) || ';' as text from pg_trigger where tgrelid = $1 and not tgisinternal order by tgname`

const policiesQuery = `
  select format('create policy %I on %s using %s with check %s;', polname, polrelid::regclass, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) as text
  from pg_policy where polrelid = $1 order by polname`

const grantsQuery = `
  select format('grant %s on %s to rapport_app;', string_agg(lower(g.privilege_type), ', ' order by g.privilege_type), c.oid::regclass) as text
  from pg_class c, aclexplode(c.relacl) g where c.oid = $1 and g.grantee = 'rapport_app'::regrole group by c.oid`

const viewsQuery = `
  select format(E'create view %s as\\n%s', c.oid::regclass, pg_get_viewdef(c.oid)) as text
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind = 'v' order by c.relname`

const functionsQuery = `
  select pg_get_functiondef(p.oid) || ';' as text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = $1 and p.prokind in ('f', 'p') order by p.proname, p.oid::regprocedure::text`
