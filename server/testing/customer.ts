/** People who have a token of the outside auth service, and no place in the house. */
import { newId } from '#platform/ids.ts'
import { tokenOf, type Client, type TestApp } from './start.ts'

/** A customer, unless `person` says who else it is. */
export async function customerOf(
  app: TestApp,
  name: string,
  person = { id: newId(), email: `${name}@guest.example`, name, role: 'customer' },
): Promise<Client & { id: string; email: string }> {
  const headers = { authorization: `Bearer ${await tokenOf(person, app.world.workspaceId)}` }
  const request: Client['request'] = (method, path, body, more) =>
    app.anonymous.request(method, path, body, { ...headers, ...more })
  return {
    id: person.id,
    email: person.email,
    request,
    get: (path, more) => request('GET', path, undefined, more),
    post: (path, body, more) => request('POST', path, body, more),
    put: (path, body, more) => request('PUT', path, body, more),
    patch: (path, body, more) => request('PATCH', path, body, more),
    delete: (path, body, more) => request('DELETE', path, body, more),
  }
}
