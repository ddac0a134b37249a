/** The values of a template: paths, literals, helpers with their arguments; each becomes a function that reads it. */
import { TemplateFault } from './faults.ts'
import { helpers } from './helpers.ts'
import type { Run } from './run.ts'
import { propertyOf, toText } from './values.ts'

type Node = hbs.AST.Node

/** Where an expression is evaluated. `up` is what `../` sees, `loop` what `@index` sees. */
export interface Scope {
  context: unknown
  up: Scope | null
  loop: Loop | null
  locals: Readonly<Record<string, unknown>> | null
  outer: Scope | null
}

interface Loop {
  index: number | undefined
  key: string | number
  first: boolean
  last: boolean
  outer: Loop | null
}

export type Read = (run: Run, scope: Scope) => unknown

export interface Compiling {
  html: boolean
  /** Whether the composer's own blocks are known; people's templates are always compiled without them. */
  own: boolean
  /** Names that `as |name|` gave to the surrounding blocks. */
  locals: string[]
  /** Names at the root that the template reads. */
  names: Set<string>
  nodes: number
}

const nodesMax = 20_000
const unavailable = new Set([
  '__proto__',
  'constructor',
  'prototype',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
])
const dataNames = new Set(['root', 'index', 'key', 'first', 'last'])

/** A name with arguments is a helper; a name alone is data, so that a field called `date` can be shown. */
export function compileCall(
  node: { path: Node; params: Node[]; hash?: hbs.AST.Hash; loc: hbs.AST.SourceLocation; type: string },
  compiling: Compiling,
): Read {
  const pairs = node.hash?.pairs ?? []
  if (!node.params.length && !pairs.length && node.type !== 'SubExpression') return compileValue(node.path, compiling)
  const name = nameOf(node.path)
  if (name === 'lookup') return compileLookup(node, compiling)
  const helper = name === null ? undefined : helpers.get(name)
  if (!helper) {
    throw fault(
      node,
      `There is no helper called "${name ?? '…'}". There are ${[...helpers.keys(), 'lookup'].join(', ')}.`,
    )
  }
  const { argumentsMin, argumentsMax } = helper
  if (node.params.length < argumentsMin || node.params.length > argumentsMax) {
    throw fault(
      node,
      `"${name}" takes ${argumentsMin === argumentsMax ? argumentsMin : `${argumentsMin} to ${argumentsMax}`} values.`,
    )
  }
  const reads = node.params.map((param) => compileValue(param, compiling))
  const named = pairs.map((pair) => [pair.key, compileValue(pair.value, compiling)] as const)
  return (run, scope) => {
    run.spend(1 + reads.length)
    const values = reads.map((read) => read(run, scope))
    return helper.call(values, Object.fromEntries(named.map(([key, read]) => [key, read(run, scope)])), run)
  }
}

function compileLookup(node: { params: Node[]; loc: hbs.AST.SourceLocation }, compiling: Compiling): Read {
  if (node.params.length !== 2) throw fault(node, '"lookup" takes 2 values.')
  const [object, name] = node.params.map((param) => compileValue(param, compiling)) as [Read, Read]
  return (run, scope) => {
    run.spend(1)
    const key = toText(name(run, scope))
    return unavailable.has(key) ? undefined : propertyOf(object(run, scope), key)
  }
}

export function compileValue(node: Node, compiling: Compiling): Read {
  count(node, compiling)
  switch (node.type) {
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral': {
      const { value } = node as hbs.AST.StringLiteral
      return () => value
    }
    case 'UndefinedLiteral':
    case 'NullLiteral':
      return () => null
    case 'SubExpression':
      return compileCall(node as hbs.AST.SubExpression, compiling)
    case 'PathExpression':
      return compilePath(node as hbs.AST.PathExpression, compiling)
    default:
      throw fault(node, 'This cannot be used as a value.')
  }
}

function compilePath(node: hbs.AST.PathExpression, compiling: Compiling): Read {
  const parts: unknown[] = node.parts
  if (!parts.every((part) => typeof part === 'string')) throw fault(node, 'A path is made of plain names.')
  const names = parts as string[]
  const forbidden = names.find((name) => unavailable.has(name))
  if (forbidden !== undefined) throw fault(node, `The name "${forbidden}" is not available.`)
  if (node.data) return compileData(node, names)
  const scoped = /^(\.\.?(\/|$)|this\b)/.test(node.original)
  const [first] = names
  if (!scoped && first !== undefined && compiling.locals.includes(first)) {
    return (run, scope) => (run.spend(1), follow(localOf(scope, first), names, 1))
  }
  if (first !== undefined) compiling.names.add(first)
  const { depth } = node
  return (run, scope) => {
    run.spend(1)
    let at: Scope | null = scope
    for (let level = 0; level < depth && at; level++) at = at.up
    return follow(at?.context, names, 0)
  }
}

function compileData(node: hbs.AST.PathExpression, names: string[]): Read {
  const [name] = names
  if (name === undefined || !dataNames.has(name))
    throw fault(node, `There is no @${name ?? ''} here; there are @${[...dataNames].join(', @')}.`)
  if (name === 'root') return (run) => (run.spend(1), follow(run.root, names, 1))
  return (run, scope) => {
    run.spend(1)
    let loop = scope.loop
    for (let level = 0; level < node.depth && loop; level++) loop = loop.outer
    return loop?.[name as 'index']
  }
}

function follow(value: unknown, names: string[], from: number): unknown {
  let at = value
  for (let index = from; index < names.length; index++) at = propertyOf(at, names[index]!)
  return at
}

function localOf(scope: Scope, name: string): unknown {
  for (let at: Scope | null = scope; at; at = at.outer)
    if (at.locals && Object.hasOwn(at.locals, name)) return at.locals[name]
  return undefined
}

export function nameOf(node: Node): string | null {
  if (node.type !== 'PathExpression') return null
  const { parts, depth, data, original } = node as hbs.AST.PathExpression
  return parts.length === 1 && depth === 0 && !data && !original.startsWith('this') ? parts[0]! : null
}

export function count(node: Node, compiling: Compiling): void {
  if (++compiling.nodes > nodesMax) throw fault(node, `A template has at most ${nodesMax} parts.`)
}

export function fault(node: { loc: hbs.AST.SourceLocation }, detail: string): TemplateFault {
  return new TemplateFault(node.loc.start.line, detail)
}
