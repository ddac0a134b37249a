/** Reads JSON bodies: no prototype in disguise, and no deeper than anything that people write. */
import type { FastifyInstance } from 'fastify'
import { Unreadable } from '../errors.ts'

const depthMax = 64

/** Takes the place of the parsers that Fastify brings along, plain text included: a form of another site can send that. */
export function addJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body)
    if (isTooDeep(text)) done(new Unreadable('too_deep', `The JSON is nested deeper than ${depthMax} levels.`))
    else void parse(request, text, done)
  })
}

/** What is nested thousands of levels deep overflows a stack in one of the places that it passes through later. */
function isTooDeep(text: string): boolean {
  if (text.length <= depthMax) return false
  let depth = 0
  let inText = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (inText) {
      if (code === backslash) index++
      else if (code === quote) inText = false
    } else if (code === quote) inText = true
    else if (code === openBrace || code === openBracket) {
      if (++depth > depthMax) return true
    } else if (code === closeBrace || code === closeBracket) depth--
  }
  return false
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [34, 92, 123, 125, 91, 93]
