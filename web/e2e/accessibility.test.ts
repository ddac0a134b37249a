import { AxeBuilder } from '@axe-core/playwright'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Application, openApplication, patienceMs, setUp } from './application.ts'

let application: Application
let owner: BrowserContext
/** Addresses by the name of the page; those of single records are filled in when they have been made. */
const pages: Record<string, string> = {
  dashboard: '/',
  contacts: '/contacts',
  'new contact': '/contacts/new',
  lists: '/contacts/groups',
  'new list': '/contacts/groups/new',
  tags: '/contacts/tags',
  import: '/contacts/import',
  imports: '/contacts/imports',
  campaigns: '/campaigns',
  'new campaign': '/campaigns/new',
  templates: '/templates',
  'new template': '/templates/new',
  sandbox: '/sandbox',
  profile: '/settings/profile',
  security: '/settings/security',
  workspace: '/settings/workspace',
  members: '/settings/members',
  'API keys': '/settings/api-keys',
  'a lost page': '/nowhere',
}
const doors = ['/sign-in', '/setup', '/forgot-password', '/reset-password#token=x', '/invitation', '/confirm#token=x']

beforeAll(async () => {
  application = await openApplication()
  owner = await application.browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce' })
  const page = await owner.newPage()
  page.setDefaultTimeout(patienceMs)
  await setUp(page, application.url)
  await makeRecords(page)
  await page.close()
}, 4 * patienceMs)
afterAll(() => application[Symbol.asyncDispose]())

/** A contact, a list with it, a template, a campaign that has been sent, and one that is being written. */
async function makeRecords(page: Page): Promise<void> {
  const ids = await page.evaluate(async () => {
    const session = await (await fetch('/api/v1/session')).json()
    const post = async (path: string, body: object = {}) => {
      const reply = await fetch(`/api/v1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-csrf-token': session.csrf_token },
        body: JSON.stringify(body),
      })
      if (!reply.ok) throw new Error(`${path}: ${await reply.text()}`)
      return reply.json()
    }
    const tags = ['regulars', 'VIP']
    const contact = await post('/contacts', { email: 'elise@example.org', first_name: 'Élise', company: 'Roux', tags })
    await post(`/contacts/${contact.id}/subscribe`, { type: 'marketing' })
    await post(`/contacts/${contact.id}/notes`, { content: 'Prefers the terrace' })
    for (const name of ['bea', 'carl']) await post('/contacts', { email: `${name}@example.org`, first_name: name })
    const list = await post('/lists', { name: 'Regulars', color: '#1d5f58' })
    await post(`/lists/${list.id}/contacts`, { contact_ids: [contact.id] })
    const html = '<h1>Hello {{contact.first_name}}</h1><p><a href="https://example.org/menu">The menu</a></p>'
    const template = await post('/communication/templates', { name: 'Letter', subject: 'News', body_html: html })
    const channels = [{ type: 'email', config: { subject: 'News' }, content_template: html }]
    const target_audience = { list_ids: [list.id] }
    const draft = await post('/communication/campaigns', { name: 'Draft', target_audience, channels })
    const sent = await post('/communication/campaigns', { name: 'Sent', target_audience, channels })
    await post(`/communication/campaigns/${sent.id}/launch`)
    return { contact: contact.id, list: list.id, template: template.id, draft: draft.id, sent: sent.id }
  })
  pages.contact = `/contacts/${ids.contact}`
  pages['edit a contact'] = `/contacts/${ids.contact}/edit`
  pages.list = `/contacts/groups/${ids.list}`
  pages.template = `/templates/${ids.template}`
  pages.campaign = `/campaigns/${ids.sent}`
  for (const step of ['details', 'audience', 'content', 'review']) {
    pages[`composer: ${step}`] = `/campaigns/${ids.draft}/edit?step=${step}`
  }
  await page.goto(`${application.url}/sandbox`)
  await page.getByRole('link', { name: 'News' }).click()
  await page.getByText('Message').first().waitFor()
  pages['sandbox message'] = new URL(page.url()).pathname
}

/** The page as it stands when everything that it asked for has come. */
async function settle(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"], .mantine-Skeleton-root'))
}

async function seriousFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

test.each(['light', 'dark'] as const)(
  'in %s, axe finds nothing serious on any page',
  { timeout: 12 * patienceMs },
  async (colorScheme) => {
    const page = await owner.newPage()
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const [name, address] of Object.entries(pages)) {
      await page.goto(application.url + address)
      await settle(page)
      expect.soft(await seriousFaults(page), `${name} (${colorScheme})`).toEqual([])
    }
    await page.close()
    const outside = await application.browser.newPage({ colorScheme, reducedMotion: 'reduce' })
    for (const address of doors) {
      await outside.goto(application.url + address)
      await settle(outside)
      expect.soft(await seriousFaults(outside), `${address} (${colorScheme})`).toEqual([])
    }
    await outside.close()
  },
)

test('on a phone of 390 px no page scrolls sideways', { timeout: 6 * patienceMs }, async () => {
  const page = await owner.newPage()
  await page.setViewportSize({ width: 390, height: 844 })
  for (const [name, address] of Object.entries(pages)) {
    await page.goto(application.url + address)
    await settle(page)
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    expect.soft(tooWide, name).toBeLessThanOrEqual(0)
  }
  await page.close()
})

test(
  'everything is reached by keyboard: skip link, palette, shortcuts, help',
  { timeout: 4 * patienceMs },
  async () => {
    const page = await owner.newPage()
    page.setDefaultTimeout(patienceMs)
    await page.goto(application.url)
    await settle(page)
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content')

    await page.keyboard.press('Control+k')
    // The palette opens with a short movement; only then does it have the focus.
    await page.waitForFunction(() => document.activeElement?.matches('[role=dialog] input'))
    await page.keyboard.type('elise')
    await page.getByRole('dialog').getByText('elise@example.org').waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Élise' }).waitFor()
    // Arriving on a page moves the focus to its title, which a screen reader then says.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Élise')

    await page.keyboard.press('g')
    await page.keyboard.press('t')
    await page.getByRole('heading', { level: 1, name: 'Tags' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('/')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('search')
    await page.close()
  },
)

test(
  'the three languages can be chosen, and the page says which one it speaks',
  { timeout: 4 * patienceMs },
  async () => {
    const page = await application.browser.newPage({ locale: 'fr-FR' })
    await page.goto(`${application.url}/sign-in`)
    await page.getByRole('heading', { name: 'Se connecter' }).waitFor()
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('fr')
    await page.getByRole('button', { name: 'Română' }).click()
    await page.getByRole('heading', { name: 'Conectare' }).waitFor()
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('ro')
    await page.close()
  },
)
