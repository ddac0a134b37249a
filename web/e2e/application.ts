/**
 * The whole program as somebody meets it: the built pages, the HTTP server on a port of its own, the worker at work, on an
 * empty database. A browser opens it; nothing is mocked.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { inject } from 'vitest'
import { createApp, prepareDatabase } from '#server/app.ts'
import { toConfig } from '#server/config.ts'
import { createLog } from '#platform/observe/log.ts'

/** How long a page may take before a test gives up: a busy machine is slow, not broken. */
export const patienceMs = 25_000

export interface Application extends AsyncDisposable {
  url: string
  browser: Browser
}

/** Debian's browser, or the one that CHROMIUM names. */
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const browserArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function openApplication(): Promise<Application> {
  const folder = mkdtempSync(path.join(tmpdir(), 'rapport-e2e-'))
  const webFolder = path.join(folder, 'web')
  await build({
    configFile: path.join(import.meta.dirname, '../vite.config.ts'),
    logLevel: 'error',
    build: { outDir: webFolder },
  })
  const name = `e2e_${randomBytes(6).toString('hex')}`
  const serverUrl = inject('databaseUrl')
  await onServer(serverUrl, `create database ${name}`)
  const databaseUrl = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  const log = createLog({ level: 'error', name: 'e2e' })
  await prepareDatabase(databaseUrl, log)
  const config = toConfig({ APP_ENV: 'test', DATA_DIR: folder, RATE_LIMIT_PER_MINUTE: '100000' })
  const app = await createApp({
    config,
    databaseUrl,
    secretKey: randomBytes(32).toString('hex'),
    log,
    works: true,
    webFolder,
  })
  await app.http.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.http.server.address() as AddressInfo
  app.worker.start()
  const browser = await chromium.launch({ executablePath: browserPath, args: browserArguments })
  return {
    url: `http://localhost:${port}`,
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close()
      await app.close()
      await onServer(serverUrl, `drop database if exists ${name} with (force)`)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const owner = {
  workspace: 'Le Vieux Moulin',
  name: 'Maria Lefèvre',
  email: 'maria@levieuxmoulin.example',
  password: 'trois moulins au bord du canal',
}

/** The first visit, through the set-up page. */
export async function setUp(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.getByLabel('Name of your business').fill(owner.workspace)
  await page.getByLabel('Your name').fill(owner.name)
  await page.getByLabel('E-mail address').fill(owner.email)
  await page.locator('input[type="password"]').fill(owner.password)
  await page.getByRole('button', { name: 'Start with Rapport' }).click()
  await page.getByRole('heading', { name: 'Hello, Maria' }).waitFor()
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
