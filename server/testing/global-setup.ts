/**
 * One database server for the whole test run. Tests make databases of their own on it, from
 * `inject('databaseUrl')`, whose user owns the server. TEST_DATABASE_URL names another server to run against, and
 * TEST_REDIS_URL a Redis that every test then works with.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { readEnv } from '../config.ts'
import { startEmbedded } from '../platform/db/embedded.ts'

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string
    redisUrl: string | null
  }
}

export default async function provideDatabase(project: TestProject): Promise<() => Promise<void>> {
  const { TEST_DATABASE_URL: given, TEST_REDIS_URL: redisUrl } = readEnv()
  project.provide('redisUrl', redisUrl || null)
  if (given) {
    project.provide('databaseUrl', given)
    return async () => {}
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'rapport-tests-'))
  const server = await startEmbedded({ dataDir, log: quietLog, durable: false })
  project.provide('databaseUrl', server.url)
  return async () => {
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const quietLog = { info: () => {}, warn: console.warn, error: console.error }
