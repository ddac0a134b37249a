/**
 * What no file may do, read from the sources: which way the arrows point, who may read the environment, whose tables a
 * module may name. `doors.test.ts` judges what is mounted.
 */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { modules, neighbours } from './modules.ts'

const root = import.meta.dirname
const files = globSync('**/*.ts', { cwd: root }).toSorted()
const texts = new Map(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]))
const sources = files.filter((file) => !file.endsWith('.test.ts') && !file.startsWith('testing/'))

interface Import {
  from: string
  to: string
  isType: boolean
}

const imports = files.flatMap((from) => importsOf(from))

function importsOf(from: string): Import[] {
  const pattern =
    /(?:^|\n)\s*(import|export)\s+(type\s)?[^'"`;]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|(?:^|\n)import\s+'([^']+)'/g
  return [...texts.get(from)!.matchAll(pattern)].map(([, , type, named, dynamic, bare]) => ({
    from,
    to: resolve(from, named ?? dynamic ?? bare ?? ''),
    isType: type !== undefined,
  }))
}

/** A path below `server/`, or the name of a package. */
function resolve(from: string, target: string): string {
  if (target.startsWith('.')) return path.join(path.dirname(from), target)
  const alias = /^#(platform|modules|testing|server)\/(.*)$/.exec(target)
  if (!alias) return target
  return alias[1] === 'server' ? alias[2]! : `${alias[1]}/${alias[2]}`
}

const moduleOf = (file: string): string | undefined => /^modules\/([^/]+)\//.exec(file)?.[1]
const named = (list: Import[]): string[] => list.map(({ from, to }) => `${from} → ${to}`)

describe('imports', () => {
  test('there are as many as one sees', () => {
    expect(imports.length).toBeGreaterThan(300)
    expect(imports.some(({ to }) => to === 'modules/contacts/index.ts')).toBe(true)
  })

  test('the platform knows no module', () => {
    const wrong = imports.filter(
      ({ from, to }) => from.startsWith('platform/') && !from.endsWith('.test.ts') && moduleOf(to),
    )
    expect(named(wrong)).toEqual([])
  })

  test('the platform knows nothing of how the program is put together, but for the type of its configuration', () => {
    const wrong = imports.filter(
      ({ from, to, isType }) =>
        from.startsWith('platform/') &&
        !from.endsWith('.test.ts') &&
        ['app.ts', 'main.ts', 'modules.ts', 'config.ts'].includes(to) &&
        !isType,
    )
    expect(named(wrong)).toEqual([])
  })

  test('a module knows the neighbours that modules.ts allows, each by its index.ts', () => {
    const wrong = imports.filter(({ from, to }) => {
      const [own, other] = [moduleOf(from), moduleOf(to)]
      if (!own || !other || own === other || from.endsWith('.test.ts')) return false
      return !neighbours[own]?.includes(other) || to !== `modules/${other}/index.ts`
    })
    expect(named(wrong)).toEqual([])
  })

  test('the arrows between modules point one way', () => {
    expect(Object.keys(neighbours).toSorted()).toEqual(modules.map(({ name }) => name).toSorted())
    const order = modules.map(({ name }) => name)
    for (const [name, known] of Object.entries(neighbours)) {
      for (const other of known)
        expect(order.indexOf(other), `${name} knows ${other}`).toBeLessThan(order.indexOf(name))
    }
  })

  test('no file imports itself in a circle', () => {
    const edges = Map.groupBy(
      imports.filter(({ isType, from }) => !isType && sources.includes(from)),
      ({ from }) => from,
    )
    const done = new Set<string>()
    const circles: string[] = []
    const visit = (file: string, trail: string[]): void => {
      if (trail.includes(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(' → '))
      if (done.has(file) || trail.includes(file)) return
      for (const { to } of edges.get(file) ?? []) visit(to, [...trail, file])
      done.add(file)
    }
    for (const file of sources) visit(file, [])
    expect(circles).toEqual([])
  })

  test('only tests use what is made for tests', () => {
    const wrong = imports.filter(
      ({ from, to }) => sources.includes(from) && (to.startsWith('testing/') || to.endsWith('.test.ts')),
    )
    expect(named(wrong)).toEqual([])
  })
})

describe('reach', () => {
  const inModules = sources.filter((file) => moduleOf(file))

  test('config.ts alone reads the environment', () => {
    const readers = sources.filter((file) => /process\s*\.\s*env|\{[^}]*\benv\b[^}]*\}\s*=\s*process/.test(code(file)))
    expect(readers).toEqual(['config.ts'])
  })

  test('no module opens a connection, or a transaction by hand', () => {
    const forbidden = [
      'pg',
      'pg-boss',
      'kysely/pg',
      'ioredis',
      'platform/db/migrate.ts',
      'platform/db/embedded.ts',
      'platform/jobs/queue.ts',
    ]
    const wrong = imports.filter(
      ({ from, to, isType }) => inModules.includes(from) && !isType && forbidden.includes(to),
    )
    expect(named(wrong)).toEqual([])
    expect(inModules.filter((file) => /\bopenDb\b|\b(begin|commit|rollback)\b\s*[`;]/i.test(code(file)))).toEqual([])
  })

  test('no module names the tables of another, nor those of the platform', () => {
    const owned = ownedNames()
    expect(owned.size).toBeGreaterThan(15)
    const wrong: string[] = []
    for (const file of [...inModules, ...globSync('modules/*/migrations/*.sql', { cwd: root })]) {
      const own = moduleOf(file)!
      const text = file.endsWith('.sql')
        ? readFileSync(path.join(root, file), 'utf8').replaceAll(/--.*/g, '')
        : code(file)
      for (const [name, owner] of owned)
        if (owner !== own && new RegExp(`(?<![\\w./'])${name.replace('.', '\\.')}(?![\\w(])`).test(text))
          wrong.push(`${file} names ${name}`)
    }
    expect(wrong).toEqual([])
  })
})

/** Every table and view, and the module whose migrations make it; `platform.job_states` is there for all to join. */
function ownedNames(): Map<string, string> {
  const names = new Map<string, string>()
  for (const file of globSync(['platform/db/migrations/*.sql', 'modules/*/migrations/*.sql'], { cwd: root })) {
    const text = readFileSync(path.join(root, file), 'utf8')
    for (const [, name] of text.matchAll(/create\s+(?:table|view|materialized view)\s+(?:if not exists\s+)?([\w.]+)/gi))
      if (name !== 'platform.job_states') names.set(name!, moduleOf(file) ?? 'platform')
  }
  return names
}

/** Without comments, which may speak of anything. */
function code(file: string): string {
  return texts.get(file)!.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/g, '')
}
