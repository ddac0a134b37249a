// Work in the background: done once, whoever dies meanwhile; seen, stopped and begun again by people.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { expect, test } from 'vitest'
import { start, testSecretKey, type TestApp } from '#testing/start.ts'
import { stepsJob } from '#testing/probe-worker.ts'
import { Invalid } from '../errors.ts'
import { carryStrandedJobs, forgetOldRows } from '../upkeep.ts'
import type { Job, JobDefinition } from './job.ts'

const stepsOf = async (app: TestApp) => (await app.drainEvents()).filter((name) => name === 'probe.step').length
const enqueue = (app: TestApp, kind: string, data: object = {}) => app.inTx((tx) => tx.enqueue(kind, data))
const view = async (app: TestApp, id: string) => (await app.as('victor').get(`/jobs/${id}`)).body

/** As the database's owner: what only time, or a crash, would do. */
async function meddle(app: TestApp, statement: string): Promise<void> {
  const { default: pg } = await import('pg')
  const owner = new pg.Client({ connectionString: app.databaseUrl })
  await owner.connect()
  await owner.query(statement)
  await owner.end()
}

/** The retry's delay passes. */
const passDelay = (app: TestApp) => meddle(app, "update pgboss.job set start_after = now() where state = 'retry'")

function job(kind: string, run: (job: Job) => Promise<object | void>, retryLimit = 2): JobDefinition {
  return { kind, retryLimit, concurrency: 1, run }
}

test('a job is seen from its beginning to its end, and what it was given is never shown', async () => {
  await using app = await start({}, { jobs: [stepsJob(async () => {})] })
  const id = await app.inTx((tx) => tx.enqueue('probe.steps', { password: 'hunter2' }, { total: 10 }))
  expect(await view(app, id)).toMatchObject({
    kind: 'probe.steps',
    status: 'queued',
    progress: { done: 0, total: 10, rate: null },
  })
  await app.drain()
  const done = await app.as('victor').get(`/jobs/${id}`)
  expect(done.body).toMatchObject({
    status: 'succeeded',
    progress: { done: 10, total: 10 },
    result: { attempts: 1 },
    error: null,
  })
  expect(done.text).not.toContain('hunter2')
  expect((await app.as('victor').get('/jobs?kind=probe.steps&status=succeeded')).body.total).toBe(1)
  expect((await app.stranger.get(`/jobs/${id}`)).status).toBe(404)
  expect((await app.stranger.post(`/jobs/${id}/cancel`)).status).toBe(404)
  expect((await app.as('victor').post(`/jobs/${id}/cancel`)).status).toBe(403)
  expect(await stepsOf(app)).toBe(10)
  expect((await app.anonymous.get('//metrics')).text).toContain(
    'rapport_jobs_total{kind="probe.steps",outcome="succeeded"} 1',
  )
})

test('a failing job is tried again from its cursor, and fails visibly after the last try', async () => {
  let failures = 2
  await using app = await start(
    {},
    {
      jobs: [
        stepsJob(async (step) => {
          if (step === 5 && failures-- > 0) throw new Error('select secret from somewhere')
        }),
        job(
          'probe.hopeless',
          async () => {
            throw new Error('/etc/secret')
          },
          1,
        ),
        job('probe.wrong', async () => {
          throw new Invalid('no_header', 'The file has no header.')
        }),
      ],
    },
  )
  const id = await enqueue(app, 'probe.steps')
  await app.drain()
  expect(await view(app, id)).toMatchObject({ status: 'queued', progress: { done: 5 } })
  await passDelay(app)
  await app.drain()
  expect(await view(app, id)).toMatchObject({ status: 'succeeded', result: { attempts: 2 } })
  expect(await stepsOf(app)).toBe(10)

  const [hopeless, wrong] = [await enqueue(app, 'probe.hopeless'), await enqueue(app, 'probe.wrong')]
  await app.drain()
  await passDelay(app)
  await app.drain()
  expect(await view(app, hopeless)).toMatchObject({
    status: 'failed',
    error: 'An unexpected error; the log says more.',
  })
  expect(await view(app, wrong)).toMatchObject({ status: 'failed', error: 'The file has no header.' })
  const again = await app.as('maria').post(`/jobs/${wrong}/retry`)
  expect([again.status, again.body.status]).toEqual([200, 'queued'])
  expect((await app.as('maria').post(`/jobs/${id}/retry`)).body.code).toBe('job_not_ended')
})

test('a job is canceled while it waits and while it runs, and goes on where it stopped', async () => {
  const reached = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  await using app = await start(
    {},
    {
      jobs: [
        stepsJob(async (step) => {
          if (step !== 3) return
          reached.resolve()
          await go.promise
        }),
      ],
    },
  )
  const waiting = await enqueue(app, 'probe.steps')
  expect((await app.as('maria').post(`/jobs/${waiting}/cancel`)).body.status).toBe('canceled')
  await app.drain()
  expect(await view(app, waiting)).toMatchObject({ status: 'canceled', progress: { done: 0 } })

  const running = await enqueue(app, 'probe.steps')
  const drained = app.drain()
  await reached.promise
  expect((await app.as('maria').post(`/jobs/${running}/cancel`)).body.status).toBe('running')
  go.resolve()
  await drained
  expect(await view(app, running)).toMatchObject({ status: 'canceled', progress: { done: 3 } })
  // Canceled and begun again at once: the old entry is still in the queue, and must not run it a second time.
  await app.as('maria').post(`/jobs/${running}/retry`)
  await app.as('maria').post(`/jobs/${running}/cancel`)
  await app.as('maria').post(`/jobs/${running}/retry`)
  await app.drain()
  expect(await view(app, running)).toMatchObject({ status: 'succeeded', result: { attempts: 2 } })
  expect(await stepsOf(app)).toBe(10)
})

test('of two entries that carry one job, one runs it', async () => {
  const both = Promise.withResolvers<void>()
  await using app = await start(
    {},
    { jobs: [{ ...stepsJob(async (step) => (step === 3 ? both.promise : undefined)), concurrency: 2 }] },
  )
  const id = await enqueue(app, 'probe.steps')
  for (const verb of ['cancel', 'retry']) expect((await app.as('maria').post(`/jobs/${id}/${verb}`)).status).toBe(200)
  app.app.worker.start()
  const untouched = async () => {
    const { rows } = await app.inTx((tx) =>
      tx.rawQuery<{ n: number }>(
        "select count(*) as n from pgboss.job where name = 'probe.steps' and state = 'created'",
      ),
    )
    return rows[0]?.n
  }
  await expect.poll(untouched, { timeout: 5_000 }).toBe(0)
  await expect.poll(async () => (await view(app, id)).progress.done).toBe(3)
  both.resolve()
  await expect.poll(async () => (await view(app, id)).status).toBe('succeeded')
  expect((await view(app, id)).result).toEqual({ attempts: 1 })
})

test('a worker killed in the middle loses nothing: another goes on at the cursor, and each step is done once', async () => {
  await using app = await start({}, { jobs: [stepsJob(async () => {})] })
  const id = await enqueue(app, 'probe.steps', { stopAt: 4 })
  const script = path.join(import.meta.dirname, '../../testing/probe-worker.ts')
  const worker = spawn(process.execPath, [script, app.databaseUrl, testSecretKey], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(worker.stdout, 'data')
    expect(await view(app, id)).toMatchObject({ status: 'running', progress: { done: 4 } })
    // It lives: nobody takes its job away.
    await app.app.queue.supervise('probe.steps')
    await app.drain()
    expect(await view(app, id)).toMatchObject({ status: 'running', progress: { done: 4 } })
  } finally {
    worker.kill('SIGKILL')
  }
  await once(worker, 'exit')
  // Ten silent seconds, and the monitor's next round.
  await meddle(
    app,
    "update pgboss.job set heartbeat_on = now() - interval '11 s' where state = 'active'; update pgboss.queue set monitor_on = null, monitor_claim_on = null",
  )
  await app.app.queue.supervise('probe.steps')
  await passDelay(app)
  await app.drain()
  expect(await view(app, id)).toMatchObject({ status: 'succeeded', progress: { done: 10 }, result: { attempts: 2 } })
  expect(await stepsOf(app)).toBe(10)
})

test('a worker that fell silent and wakes up again changes nothing any more', async () => {
  const reached = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  let first = true
  await using app = await start(
    {},
    {
      jobs: [
        stepsJob(async (step) => {
          if (step !== 3 || !first) return
          first = false
          reached.resolve()
          await go.promise
        }),
      ],
    },
  )
  const id = await enqueue(app, 'probe.steps')
  const silent = app.drain()
  await reached.promise
  await meddle(app, "update pgboss.job set heartbeat_on = now() - interval '11 s' where state = 'active'")
  await app.app.queue.supervise('probe.steps')
  await passDelay(app)
  await app.drain()
  expect(await view(app, id)).toMatchObject({ status: 'succeeded' })
  go.resolve()
  await silent
  expect(await view(app, id)).toMatchObject({ status: 'succeeded', result: { attempts: 2 } })
  expect(await stepsOf(app)).toBe(10)
})

test('a stopping worker gives its job back at once, without using up a try', async () => {
  const reached = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  let first = true
  await using app = await start(
    {},
    {
      jobs: [
        {
          ...stepsJob(async (step) => {
            if (step !== 3 || !first) return
            first = false
            reached.resolve()
            await go.promise
          }),
          retryLimit: 0,
        },
      ],
    },
  )
  const id = await enqueue(app, 'probe.steps')
  app.app.worker.start()
  await reached.promise
  const stopped = app.app.worker.stop()
  go.resolve()
  await stopped
  expect(await view(app, id)).toMatchObject({ status: 'queued', progress: { done: 3 } })
  const [entry] = await app.app.queue.fetch('probe.steps')
  expect(entry?.data).toMatchObject({ jobId: id })
})

test('a job that nothing carries any more is found: begun again, or ended where its worker died each time', async () => {
  await using app = await start({}, { jobs: [stepsJob(async () => {})] })
  const { runtime } = app.app
  const [lost, died, canceled] = [
    await enqueue(app, 'probe.steps'),
    await enqueue(app, 'probe.steps'),
    await enqueue(app, 'probe.steps'),
  ]
  await meddle(
    app,
    `
    delete from pgboss.job where data->>'jobId' in ('${lost}', '${canceled}');
    update pgboss.job set state = 'failed' where data->>'jobId' = '${died}';
    update platform.jobs set status = 'running', updated_at = now() - interval '1 minute';
    update platform.jobs set cancel_requested_at = now() where id = '${canceled}'`,
  )
  await carryStrandedJobs(runtime)
  await app.drain()
  expect(await view(app, lost)).toMatchObject({ status: 'succeeded' })
  expect(await view(app, died)).toMatchObject({ status: 'failed', error: expect.stringContaining('died') })
  expect(await view(app, canceled)).toMatchObject({ status: 'canceled' })
  expect(await stepsOf(app)).toBe(10)
})

test('what has served its time is forgotten, and nothing else', async () => {
  await using app = await start({}, { jobs: [stepsJob(async () => {})] })
  await app.inTx((tx) => tx.publish('probe.kept', 'x', {}))
  await app.as('anna').post('/lists', { name: 'Old' }, { 'idempotency-key': 'old' })
  await enqueue(app, 'probe.steps')
  await app.drain()
  const count = async () => {
    const { rows } = await app.inTx((tx) =>
      tx.rawQuery<{ outbox: number; keys: number; jobs: number }>(
        `select (select count(*) from platform.outbox) as outbox, (select count(*) from platform.idempotency_keys) as keys, (select count(*) from platform.jobs where status = 'succeeded') as jobs`,
      ),
    )
    return rows[0]
  }
  const before = await count()
  await forgetOldRows(app.app.runtime)
  expect(await count()).toEqual(before)
  await meddle(
    app,
    `
    update platform.outbox set relayed_at = relayed_at - interval '31 days' where event = 'probe.step';
    update platform.idempotency_keys set created_at = created_at - interval '25 hours';
    update platform.jobs set finished_at = finished_at - interval '91 days'`,
  )
  await forgetOldRows(app.app.runtime)
  expect(await count()).toEqual({ outbox: before!.outbox - 10, keys: 0, jobs: 0 })
})
