/** What a machine can judge without running the program: types, lint, format, boundaries, generated files. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

const projectFolder = dirname(import.meta.dirname)
const tool = (...path: string[]) => join(projectFolder, 'node_modules', ...path)
const typeCheck = [tool('typescript-native', 'bin', 'tsc'), '--noEmit', '-p']

const steps: { name: string; run: string[]; onlyWith?: string }[] = [
  { name: 'types of the server', run: [...typeCheck, '.'] },
  { name: 'types of the web application', run: [...typeCheck, 'web'], onlyWith: 'web/tsconfig.json' },
  { name: 'lint', run: [tool('oxlint', 'bin', 'oxlint'), '--type-aware'] },
  { name: 'format (npx oxfmt mends it)', run: [tool('oxfmt', 'bin', 'oxfmt'), '--check'] },
  {
    name: 'boundaries between modules',
    run: [tool('vitest', 'vitest.mjs'), 'run', 'server/boundaries.test.ts'],
    onlyWith: 'server/boundaries.test.ts',
  },
  { name: 'generated files', run: [join(projectFolder, 'bin', 'gen.ts'), '--check'] },
]

let failed = 0
for (const { name, run, onlyWith } of steps) {
  if (onlyWith && !existsSync(join(projectFolder, onlyWith))) continue
  const start = Date.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, run, { cwd: projectFolder, encoding: 'utf8' })
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`)
  if (status === 0) continue
  failed += 1
  console.log(`${stdout}${stderr}`)
}
process.exitCode = failed ? 1 : 0
