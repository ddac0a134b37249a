/** The one place where errors become replies: RFC 9457 problem documents, without stack, SQL or path. */
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorObject } from 'ajv'
import { RapportError, type InputError } from '../errors.ts'

interface ProblemDocument {
  type: string
  title: string
  status: number
  detail: string
  code: string
  request_id: string
  errors?: InputError[]
}

export function replyWithProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error, request)
  if (problem.status >= 500) request.log.error({ err: error }, 'a request failed')
  if (error instanceof RapportError && error.retryAfterSeconds !== undefined) {
    void reply.header('retry-after', String(Math.max(1, Math.ceil(error.retryAfterSeconds))))
  }
  sendProblem(reply, problem)
}

export function sendProblem(reply: FastifyReply, problem: ProblemDocument): void {
  void reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem)
}

export function problemOf(
  request: FastifyRequest,
  status: number,
  code: string,
  detail: string,
  errors?: InputError[],
): ProblemDocument {
  const title = STATUS_CODES[status] ?? 'Error'
  return { type: 'about:blank', title, status, detail, code, request_id: request.id, ...(errors ? { errors } : {}) }
}

function toProblem(error: unknown, request: FastifyRequest): ProblemDocument {
  if (error instanceof RapportError) return problemOf(request, error.status, error.code, error.message, error.errors)
  const known = error as Partial<FastifyError> & { validation?: ErrorObject[]; validationContext?: string }
  if (known.validation) {
    const errors = known.validation.map((issue) => inputError(issue, known.validationContext ?? 'body'))
    const detail = errors.map((issue) => `${issue.pointer}: ${issue.detail}`).join(' ')
    return problemOf(request, 422, 'invalid', detail, errors)
  }
  const fromDatabase = databaseProblem(known, request)
  if (fromDatabase) return fromDatabase
  const clientFault = known.code ? clientFaults[known.code] : undefined
  if (clientFault) return problemOf(request, ...clientFault)
  const status = known.statusCode ?? 500
  if (status < 500 && known.code?.startsWith('FST_')) {
    return problemOf(request, status, 'unreadable', known.message ?? 'The request cannot be read.')
  }
  return problemOf(request, 500, 'internal', 'Something went wrong on our side; the log has this request_id.')
}

const clientFaults: Record<string, [status: number, code: string, detail: string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'too_large', 'The body is larger than this address takes.'],
  FST_REQ_FILE_TOO_LARGE: [413, 'too_large', 'The file is larger than this address takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported_media_type', 'Send JSON, with Content-Type: application/json.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'unreadable', 'The body is empty, though its Content-Type promises JSON.'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'unreadable', 'The body is not JSON.'],
  FST_INVALID_MULTIPART_CONTENT_TYPE: [415, 'unsupported_media_type', 'Send the file as multipart/form-data.'],
}

/** What the database refuses because of the input, wherever a door did not already say it better. */
function databaseProblem(error: { code?: string }, request: FastifyRequest): ProblemDocument | null {
  switch (error.code) {
    case '22P05': // untranslatable character
    case '22021': // a byte sequence, such as NUL, that text cannot hold
      return problemOf(request, 422, 'invalid', 'The text has a character (such as NUL) that cannot be stored.')
    case '22003':
      return problemOf(request, 422, 'invalid', 'A number is out of range.')
    case '40001':
    case '40P01':
      return problemOf(request, 409, 'concurrent_change', 'Somebody changed the same thing at that moment. Try again.')
    case '53300':
    case '57P01':
    case '57P03':
    case 'ECONNREFUSED':
      return problemOf(request, 503, 'database_unavailable', 'The database does not answer. Try again in a moment.')
    default:
      return null
  }
}

function inputError(issue: ErrorObject, part: string): InputError {
  const parameters = issue.params as Record<string, unknown>
  const missing = issue.keyword === 'required' ? `/${String(parameters.missingProperty)}` : ''
  const unknown = issue.keyword === 'additionalProperties' ? `/${String(parameters.additionalProperty)}` : ''
  const path = `${issue.instancePath}${missing}${unknown}`
  const pointer = part === 'querystring' ? `?${path.slice(1)}` : path
  const [code, detail] = explain(issue, parameters)
  return { pointer, code, detail }
}

function explain(issue: ErrorObject, parameters: Record<string, unknown>): [code: string, detail: string] {
  switch (issue.keyword) {
    case 'required':
      return ['required', 'This field is required.']
    case 'additionalProperties':
      return ['unknown_field', 'There is no such field here, or it is not yours to set.']
    case 'enum':
      return ['not_allowed', `Use one of ${(parameters.allowedValues as unknown[]).map(String).join(', ')}.`]
    case 'type':
      return ['type', `This must be ${[parameters.type].flat().join(' or ')}.`]
    case 'format':
      return ['format', `This is not a valid ${String(parameters.format)}.`]
    case 'maxLength':
      return ['too_long', `At most ${String(parameters.limit)} characters.`]
    case 'minLength':
      return ['too_short', `At least ${String(parameters.limit)} characters.`]
    default:
      return [issue.keyword, `This ${issue.message ?? 'is not acceptable'}.`]
  }
}
