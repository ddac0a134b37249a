/**
 * Makes a report as a file, and brings it to those who are to have it. The file is made once, and each mail is marked
 * before it goes out: whatever is tried again, nobody gets a report twice. A mail that was on its way when the worker died
 * may have arrived, and is not sent again.
 */
import { buffer } from 'node:stream/consumers'
import { sql } from 'kysely'
import type { Tx } from '#platform/db/db.ts'
import { Gone, NotFound } from '#platform/errors.ts'
import type { Job, JobDefinition } from '#platform/jobs/job.ts'
import { MailRefused } from '#platform/mail/mail.ts'
import { sendNotice } from '#platform/mail/notice.ts'
import { contentTypes, extensions } from '#platform/tables-out/table.ts'
import { getWorkspace } from '#modules/accounts/index.ts'
import { isSuppressed } from '../suppression.ts'
import { renderReport } from './files.ts'
import { reportMail } from './mail-texts.ts'
import { runReport } from './run.ts'
import { reportJobKind } from './runs.ts'
import type { ReportRun } from './tables.ts'

export const reportJob: JobDefinition = { kind: reportJobKind, retryLimit: 5, concurrency: 1, run: makeRun }

const timeoutMs = 300_000
const fileSizeBytesMax = 100_000_000

async function makeRun(job: Job): Promise<object> {
  const id = String(job.data.run_id)
  const run = await job.transaction((tx) => readRun(tx, id))
  if (!run.file_key) await makeFile(job, run)
  const sent = await sendAll(job, await job.transaction((tx) => readRun(tx, id)))
  return { run_id: id, report_id: run.report_id, sent }
}

async function readRun(tx: Tx, id: string): Promise<ReportRun> {
  const run = await tx.sql.selectFrom('contacts.report_runs').selectAll().where('id', '=', id).executeTakeFirst()
  if (!run) throw new NotFound('run')
  return run
}

async function makeFile(job: Job, run: ReportRun): Promise<void> {
  const { result, workspace } = await job.transaction(async (tx) => {
    const { name } = await getWorkspace(tx, tx.workspaceId)
    const made = await runReport(tx, run.definition, { isKept: true, language: run.language, timeoutMs })
    return { result: made, workspace: name }
  })
  const content = await renderReport(run.format, result, { name: run.report_name, workspace, language: run.language })
  const key = `${job.workspaceId}/reports/${run.id}.${extensions[run.format]}`
  const stored = await job.runtime.files.put(key, content, {
    type: contentTypes[run.format],
    bytesMax: fileSizeBytesMax,
    signal: job.signal,
  })
  if (!stored.ok) throw new Error('a report became larger than any report can be')
  await job.transaction(async (tx) => {
    await job.checkpoint(tx, { done: 1 })
    await tx.sql
      .updateTable('contacts.report_runs')
      .set({
        file_key: key,
        rows: result.rows.length,
        groups_total: result.groups_total,
        size_bytes: content.length,
        finished_at: tx.now,
      })
      .where('id', '=', run.id)
      .execute()
    await tx.publish('report.finished', run.report_id, {
      report_id: run.report_id,
      run_id: run.id,
      schedule_id: run.schedule_id,
      format: run.format,
      rows: result.rows.length,
    })
    tx.notify('report', { id: run.report_id, run_id: run.id })
  })
}

/** Answers how many have it. Throws at the end where some are to be tried again. */
async function sendAll(job: Job, run: ReportRun): Promise<number> {
  await job.transaction((tx) => settleLost(tx, run.id))
  let postponed: unknown
  for (const address of await job.transaction((tx) => waiting(tx, run.id))) {
    const isTaken = await job.transaction(async (tx) => {
      await job.checkpoint(tx, {})
      if ((await isSuppressed(tx, job.runtime, [address], 'transactional')).size) {
        await settle(tx, run.id, address, { state: 'skipped', detail: 'This address wants no mail, or takes none.' })
        return false
      }
      return take(tx, run.id, address)
    })
    if (!isTaken) continue
    try {
      const outcome = await sendOne(job, run, address)
      await job.transaction((tx) => settle(tx, run.id, address, outcome))
    } catch (error) {
      postponed = error
      const detail = 'The mail server did not take it; it is tried again.'
      await job.transaction((tx) => settle(tx, run.id, address, { state: 'waiting', detail }))
    }
  }
  if (postponed) throw postponed
  return job.transaction((tx) => countSent(tx, run.id))
}

type Outcome = { state: 'sent' | 'failed' | 'skipped' | 'waiting'; detail: string | null }

async function sendOne(job: Job, run: ReportRun, address: string): Promise<Outcome> {
  const content = run.file_key && (await job.runtime.files.get(run.file_key))
  if (!content) throw new Gone('file_gone', 'The file of this report is not there any more. Run the report again.')
  const { name: workspace, timezone } = await job.transaction((tx) => getWorkspace(tx, tx.workspaceId))
  const day = new Intl.DateTimeFormat(run.language, { dateStyle: 'long', timeZone: timezone }).format(
    run.due_at ?? run.created_at,
  )
  const text = reportMail(run.language, {
    name: oneLine(run.report_name),
    workspace: oneLine(workspace),
    day,
    rows: run.rows ?? 0,
    scheduledBy: oneLine(run.started_by_name),
  })
  const type = contentTypes[run.format].split(';')[0]!
  try {
    const { outcome } = await sendNotice(job.runtime, {
      ...text,
      language: run.language,
      to: { address },
      workspaceId: job.workspaceId,
      attachments: [{ name: run.file_name, type, content: await buffer(content) }],
    })
    if (outcome === 'sent') return { state: 'sent', detail: null }
    if (outcome === 'failed') return { state: 'failed', detail: 'The mail server refused it.' }
    return { state: 'failed', detail: 'The mail server did not answer: it may have arrived, and is not sent again.' }
  } catch (error) {
    if (error instanceof MailRefused) return { state: 'failed', detail: `No mail can be made of it: ${error.message}` }
    throw error
  }
}

async function settleLost(tx: Tx, runId: string): Promise<void> {
  await tx.sql
    .updateTable('contacts.report_mails')
    .set({ state: 'failed', detail: 'The worker stopped while it was on its way: it may have arrived.' })
    .where('run_id', '=', runId)
    .where('state', '=', 'sending')
    .execute()
}

async function waiting(tx: Tx, runId: string): Promise<string[]> {
  const rows = await tx.sql
    .selectFrom('contacts.report_mails')
    .select('address')
    .where('run_id', '=', runId)
    .where('state', '=', 'waiting')
    .orderBy('address')
    .execute()
  return rows.map(({ address }) => address)
}

async function take(tx: Tx, runId: string, address: string): Promise<boolean> {
  const { numUpdatedRows } = await tx.sql
    .updateTable('contacts.report_mails')
    .set({ state: 'sending', detail: null })
    .where('run_id', '=', runId)
    .where('address', '=', address)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

async function settle(tx: Tx, runId: string, address: string, { state, detail }: Outcome): Promise<void> {
  await tx.sql
    .updateTable('contacts.report_mails')
    .set({ state, detail, sent_at: state === 'sent' ? tx.now : null })
    .where('run_id', '=', runId)
    .where('address', '=', address)
    .execute()
}

async function countSent(tx: Tx, runId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from contacts.report_mails where run_id = ${runId} and state = 'sent'`.execute(tx.sql)
  return rows[0]!.count
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
