/**
 * Runs the tests, all or those whose path holds one of the given words. The last line is the runner's own count:
 * `N passed, N failed[, N skipped]`.
 */
import { startVitest } from 'vitest/node'

const [options, words] = [
  process.argv.slice(2).filter(isOption),
  process.argv.slice(2).filter((word) => !isOption(word)),
]
if (options.length)
  throw new Error(`npm test takes words of test paths, and no options like ${options[0]}. For those: npx vitest.`)

const vitest = await startVitest('test', words, { run: true, watch: false, passWithNoTests: false })
const modules = vitest.state.getTestModules()
const tests = modules.flatMap((module) => [...module.children.allTests()])
const count = { passed: 0, failed: 0, skipped: 0 }
for (const test of tests) {
  const { state } = test.result()
  // A test without a result was cut off, by a crash or by Ctrl-C.
  count[state === 'pending' ? 'failed' : state] += 1
}
// A file that does not load has no tests to fail, and an error outside every test belongs to none: both count as one.
const broken = modules.filter(
  (module) => module.state() === 'failed' && ![...module.children.allTests('failed')].length,
)
count.failed += broken.length + vitest.state.getUnhandledErrors().length
if (!tests.length) count.failed += 1
await vitest.close()

console.log(`${count.passed} passed, ${count.failed} failed${count.skipped ? `, ${count.skipped} skipped` : ''}`)
process.exit(count.failed ? 1 : 0)

function isOption(word: string) {
  return word.startsWith('-')
}
