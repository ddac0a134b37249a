/**
 * Writes the files that are made from others: `npm run gen`. With `--check` it writes nothing and fails when one of
 * them is out of date.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { renderConfigurationPage, renderEnvExample } from '../server/config/documents.ts'

type Generator = { file: string; render: () => string | Promise<string> }

// A generator that costs something to load (a database, the whole app) is imported inside its `render`.
const generators: Generator[] = [
  { file: 'docs/configuration.md', render: renderConfigurationPage },
  { file: '.env.example', render: renderEnvExample },
  { file: 'server/schema.sql', render: async () => (await import('./schema.ts')).renderSchema() },
  { file: 'web/api/schema.gen.ts', render: async () => (await import('./api-types.ts')).renderApiTypes() },
]

const check = process.argv.includes('--check')
const projectFolder = dirname(import.meta.dirname)
let stale = 0
for (const { file, render } of generators) {
  const path = join(projectFolder, file)
  const text = await render()
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
  stale += 1
  if (check) {
    console.error(`${file} is out of date: run \`npm run gen\` and commit it.`)
    continue
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  console.log(`Wrote ${file}.`)
}
process.exitCode = check && stale ? 1 : 0
