import { describe, expect, test } from 'vitest'
import { start } from '#testing/start.ts'

describe('the HTTP layer', () => {
  test('answers probes, describes itself, and says plainly what is not there', async () => {
    await using app = await start()
    expect((await app.anonymous.get('//health')).body).toEqual({ status: 'ok', service: 'Rapport' })
    expect((await app.anonymous.get('//status')).body).toEqual({ status: 'ok', database: 'connected' })
    expect((await app.anonymous.get('//metrics')).text).toContain('rapport_http_request_duration_seconds')
    expect((await app.anonymous.get('//openapi.json')).body.openapi).toBe('3.1.0')
    const missing = await app.anonymous.get('/nowhere')
    expect(missing.status).toBe(404)
    expect(missing.headers['content-type']).toContain('application/problem+json')
    const wrong = await app.anonymous.put('/jobs', {})
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD'])
  })

  test('shows its reference page under its own content rules: no script or style sheet but from files of its own', async () => {
    await using app = await start()
    const page = await app.anonymous.get('//docs/')
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    const scripts = [...page.text.matchAll(/<script([^>]*)>([^<]*)/g)]
    expect(scripts.length).toBeGreaterThan(1)
    for (const [, attributes, inline] of scripts)
      expect([inline?.trim(), attributes]).toEqual(['', expect.stringContaining('src=')])
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, file]) => new URL(file!, 'http://x/docs/').pathname,
    )
    for (const file of files) expect([file, (await app.anonymous.get(`/${file}`)).status]).toEqual([file, 200])
    expect(page.text).not.toMatch(/\son\w+=/)
  })

  test('lets nobody in without a valid identity', async () => {
    await using app = await start()
    expect((await app.anonymous.get('/jobs')).status).toBe(401)
    expect((await app.anonymous.get('/jobs', { authorization: 'Bearer nonsense' })).body.code).toBe('invalid_token')
    expect((await app.as('victor').get('/jobs/')).body).toEqual({ data: [], next_cursor: null, total: 0 })
  })

  test('refuses unknown parameters and foreign cursors', async () => {
    await using app = await start()
    const unknown = await app.as('victor').get('/jobs?colour=red')
    expect([unknown.status, unknown.body.errors[0].pointer]).toEqual([422, '?colour'])
    expect((await app.as('victor').get('/jobs?cursor=abc')).body.code).toBe('bad_cursor')
    expect((await app.as('victor').get('/jobs?limit=100000')).status).toBe(422)
  })
})
