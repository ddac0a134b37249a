import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Application, openApplication, owner, patienceMs, setUp } from './application.ts'

let application: Application
let page: Page

beforeAll(async () => {
  application = await openApplication()
  page = await application.browser.newPage({ locale: 'en-GB', reducedMotion: 'reduce' })
  page.setDefaultTimeout(patienceMs)
}, 4 * patienceMs)
afterAll(() => application[Symbol.asyncDispose]())

const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name })
const press = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' }).click()
const follow = (name: string | RegExp) => page.getByRole('link', { name }).first().click()

test(
  'the first visit sets up the workspace, signing out and in works, and set-up stays closed',
  { timeout: 4 * patienceMs },
  async () => {
    await setUp(page, application.url)
    await press(/Your menu/)
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await heading('Sign in').waitFor()
    await page.goto(`${application.url}/setup`)
    await heading('Already set up').waitFor()

    await page.goto(`${application.url}/contacts/tags`)
    await heading('Sign in').waitFor()
    await page.getByLabel('E-mail address').fill(owner.email)
    await page.locator('input[type="password"]').fill('not the password')
    await press('Sign in')
    await page.getByRole('alert').getByText('do not belong together').waitFor()
    await page.locator('input[type="password"]').fill(owner.password)
    await press('Sign in')
    // The place that was asked for is kept over the sign-in.
    await heading('Tags').waitFor()
  },
)

test(
  'a contact is made, corrected where the server refuses it, deleted and brought back',
  { timeout: 4 * patienceMs },
  async () => {
    await page.goto(`${application.url}/contacts/new`)
    await press('Create contact')
    expect(await page.getByText('Required').count()).toBe(1)
    await page.getByLabel('First name').fill('Élise')
    await page.getByLabel('Last name').fill('Dupont')
    await page.getByLabel('E-mail address').fill('elise@example.org')
    await page.getByLabel('Phone').fill('not a number')
    await press('Create contact')
    await page.getByText('not a telephone number').waitFor()
    await page.getByLabel('Phone').fill('+33 6 12 34 56 78')
    await press('Create contact')
    await heading('Élise Dupont').waitFor()

    await press('Subscribe (Newsletter)')
    await press('Unsubscribe (Newsletter)')
    await page.getByLabel('Write a note').fill('Allergic to nuts')
    await press('Add note')
    await page.locator('.note').getByText('Allergic to nuts').waitFor()

    await press('Delete')
    await press('Undo')
    await follow('Élise Dupont')
    await heading('Élise Dupont').waitFor()
  },
)

test('a file is imported: read, mapped, counted beforehand, then written', { timeout: 4 * patienceMs }, async () => {
  const rows = Array.from(
    { length: 200 },
    (_, index) => `person${index}@example.org;Prénom${index};Société ${index % 9}`,
  )
  const csv = ['E-mail;Prénom;Société', ...rows, 'not-an-address;X;Y'].join('\n')
  await page.goto(`${application.url}/contacts/import`)
  await page
    .locator('input[type="file"]')
    .setInputFiles({ name: 'clients.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) })
  await page.getByRole('heading', { name: 'What is in the columns?' }).waitFor()
  expect(await page.getByRole('combobox', { name: 'Field for “E-mail”' }).inputValue()).toBe('E-mail address')
  await press('Continue')
  await page.getByLabel('These people agreed to offers').check()
  await page.getByLabel('Where they agreed').fill('Form on our website')
  await page.getByLabel('To which words').fill('Send me offers')
  await press('Count without importing')
  await page.getByText('1 row cannot be imported').waitFor()
  await press('Import 200 contacts')
  await page.getByText('The import is finished.').waitFor()
  expect(page.url()).toContain('import=')
  await page.reload()
  await page.getByText('The import is finished.').waitFor()

  await page.getByRole('link', { name: 'See the contacts' }).click()
  await page.getByText('201 contacts').waitFor()
  await page.getByRole('searchbox', { name: /Search by name/ }).fill('societe 3')
  await page.getByText(/^\d{2} contacts found/).waitFor()
})

test('everything that a filter matches goes into a list', { timeout: 4 * patienceMs }, async () => {
  await page.goto(`${application.url}/contacts/groups/new`)
  await page.getByRole('dialog').getByLabel('Name').fill('Offers')
  await press('Create list')
  await heading('Offers').waitFor()
  await page.goto(`${application.url}/contacts?search=example.org&limit=25`)
  await page.getByLabel('Select all rows on this page').check()
  await press(/Select all \d+ that match/)
  await press('Add to a list')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('combobox', { name: 'List' }).click()
  await page.getByRole('option', { name: 'Offers' }).click()
  await dialog.getByRole('button', { name: 'Apply' }).click()
  await page.getByText('Done').waitFor()
  await page.goto(`${application.url}/contacts/groups`)
  await page.getByRole('cell', { name: '201' }).waitFor()
})

test(
  'a campaign is written, looked at, launched, and read in the sandbox inbox',
  { timeout: 4 * patienceMs },
  async () => {
    await page.goto(`${application.url}/campaigns/new`)
    await page.getByLabel('Name of the campaign').fill('Autumn')
    await press('Start writing')
    await page.getByLabel('Subject').fill('Autumn for {{contact.first_name}}')
    await page.getByRole('combobox', { name: 'Kind of message' }).click()
    await page.getByRole('option', { name: 'Offers' }).click()
    await press('Continue')
    await page.getByRole('combobox', { name: 'Lists' }).click()
    await page.getByRole('option', { name: 'Offers' }).click()
    await page.keyboard.press('Escape')
    await page.locator('.figure', { hasText: 'Will get it' }).getByText('200').waitFor()
    await press('Continue')
    await press('Simple layout')
    await page.frameLocator('iframe').getByText('Write your message here.').waitFor()
    await press('Continue')
    await press('Launch to 200 contacts')
    await page.getByRole('dialog').getByRole('button', { name: 'Launch' }).click()
    await heading('Autumn').waitFor()
    await page
      .getByText('200 of 201')
      .or(page.getByText('201 of 201'))
      .waitFor({ timeout: 2 * patienceMs })
    await page.goto(`${application.url}/sandbox`)
    await follow(/Autumn for Prénom/)
    await heading(/Autumn for Prénom/).waitFor()
    await page.frameLocator('iframe').getByText('Hello Prénom').waitFor()
  },
)
