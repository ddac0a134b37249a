/** Runs one benchmark: `npm run bench -- import`. Without a name, says which there are. */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = join(dirname(import.meta.dirname), 'bench')
const jobs = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => file.slice(0, -'.ts'.length))
  : []
const [job] = process.argv.slice(2)

if (job && jobs.includes(job)) {
  // The job reads its own arguments, as if it had been called by its path.
  process.argv.splice(1, 2, join(folder, `${job}.ts`))
  await import(pathToFileURL(join(folder, `${job}.ts`)).href)
} else {
  console.error(`${job ? `There is no benchmark "${job}". ` : ''}Benchmarks: ${jobs.join(', ') || 'none yet'}.`)
  process.exitCode = 1
}
