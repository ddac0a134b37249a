import Handlebars from 'handlebars'
import { describe, expect, test } from 'vitest'
import type { Settings } from './run.ts'
import { compileMail, compileTemplate, isFault } from './template.ts'

const settings: Settings = { language: 'fr', timezone: 'Europe/Paris', currency: 'EUR' }

function render(source: string, data: unknown = {}, mode: 'html' | 'text' = 'html'): string {
  const template = compileTemplate(source, mode)
  if (isFault(template)) throw new Error(`line ${template.line}: ${template.detail}`)
  return template.render(data, settings).text
}

function faultOf(source: unknown): string {
  const template = compileTemplate(source, 'html')
  return isFault(template) ? `${template.line}: ${template.detail}` : 'no fault'
}

const data = {
  promo_title: 'Soirée <tarte> & "cidre"',
  customer: { first_name: "O'Neil", age: 0, empty: '', tags: ['vip', 'pizza'], address: { city: 'Vensac' } },
  menu_items: [
    { name: 'Tarte', price: '12.50', options: ['S', 'L'] },
    { name: 'Cidre=brut', price: 4, options: [] },
  ],
  nothing: [],
  yes: true,
  no: false,
}

/** What both can do must come out the same. */
test.each([
  'Bonjour {{customer.first_name}}, {{{promo_title}}} {{promo_title}} {{missing}} {{missing.deep.er}}!',
  '{{#each menu_items}}<b>{{this.name}}</b> {{price}}€ {{@index}}/{{@first}}/{{@last}} {{../customer.first_name}};{{/each}}',
  '{{#each menu_items as |item number|}}{{number}}:{{item.name}}{{#each item.options}}({{this}} of {{../name}} of {{item.name}} {{@../index}}){{else}}-{{/each}} {{/each}}',
  '{{#each customer.address}}{{@key}}={{this}}{{/each}}{{#each nothing}}x{{else}}none{{/each}}{{#each missing}}x{{else}}none{{/each}}',
  '{{#if customer.age}}a{{else}}b{{/if}}{{#if customer.age includeZero=true}}a{{else}}b{{/if}}{{#unless no}}c{{/unless}}',
  '{{#if customer.empty}}1{{else if nothing}}2{{else if yes}}3{{else}}4{{/if}}{{#if menu_items}}5{{/if}}',
  '{{#with customer}}{{first_name}} {{../promo_title}} {{#with address as |a|}}{{a.city}} {{city}} {{../first_name}} {{@root.promo_title}}{{/with}}{{else}}no{{/with}}{{#with missing}}x{{else}}none{{/with}}',
  '{{#customer}}{{first_name}}{{/customer}} {{#menu_items}}{{name}},{{/menu_items}} {{^missing}}none{{/missing}}{{#yes}}{{promo_title}}{{/yes}}{{#no}}x{{/no}}',
  '{{customer.tags}} {{customer.tags.length}} {{yes}} {{no}} {{customer.age}} {{[promo_title]}} {{customer.[first_name]}}',
  'a\n  {{#if yes}}\n  b\n  {{/if}}\nc {{~ promo_title ~}} d {{!-- gone --}} {{! gone }} \\{{kept}} {{lookup customer "first_name"}}{{lookup customer.tags 1}}',
  '{{#each customer.tags}}{{#if @first}}{{this}}{{else}}, {{this}}{{/if}}{{/each}}',
])('%s is what Handlebars makes of it', (source) => {
  expect(render(source, data)).toBe(Handlebars.create().compile(source)(data))
})

test.each([
  ['{{upper name}} {{lower "ÉTÉ"}}', 'ZOÉ été'],
  ['{{default missing "ami"}} {{default name "ami"}} {{default zero "x"}}', 'ami Zoé 0'],
  [
    '{{#if (eq n "5")}}a{{/if}}{{#if (ne n 5)}}b{{/if}}{{#if (gt n 4)}}c{{/if}}{{#if (lt "5" "12")}}d{{/if}}{{#eq n 5}}e{{else}}f{{/eq}}',
    'acde',
  ],
  ['{{#if (and name (not zero))}}a{{/if}}{{or missing "b"}}{{and name "c"}}', 'abc'],
  [
    '{{date day}} / {{date moment "short"}} / {{date "odd"}} / {{date missing}}',
    '21 novembre 2026 / 22/11/2026 / odd / ',
  ],
  ['{{number 1234.5}} {{number 2 2}} {{number "x"}}', '1\u202f234,5 2,00 x'],
  ['{{currency "12.5"}} {{currency 3 "RON"}}', '12,50\u00a0€ 3,00\u00a0RON'],
  ['{{date}} {{number}}', 'their own field 7'],
])('%s gives %s', (source, expected) => {
  const own = { name: 'Zoé', n: 5, zero: 0, day: '2026-11-21', moment: '2026-11-21T23:30:00Z' }
  expect(render(source, source === '{{date}} {{number}}' ? { date: 'their own field', number: 7 } : own)).toBe(expected)
})

describe('nothing but data can be reached', () => {
  test.each([
    ['{{constructor.constructor "return process"}}', 'helper'],
    ['{{constructor}}', 'not available'],
    ['{{contact.constructor.name}}', 'not available'],
    ['{{__proto__.x}}', 'not available'],
    [
      '{{#with "s" as |string|}}{{#with "e"}}{{#with split as |conslist|}}{{this.pop}}{{this.push (lookup string.sub "constructor")}}{{/with}}{{/with}}{{/with}}',
      'helper',
    ],
    ['{{> @partial-block}}', 'Partials'],
    ['{{> (lookup . "type")}}', 'Partials'],
    ['{{#> layout}}x{{/layout}}', 'Partials'],
    ['{{#*inline "x"}}y{{/inline}}', 'Decorators'],
    ['{{* decorate}}', 'Decorators'],
    ['{{@partial-block}}', 'no @partial-block'],
    ['{{env "HOME"}}', 'no helper called "env"'],
    ['{{helperMissing 1}}', 'no helper called "helperMissing"'],
    ['{{#blockHelperMissing a}}{{/blockHelperMissing}}', 'no helper called'],
    ['{{log "x"}}', 'no helper called "log"'],
    ['{{#rapport-link 0 true}}http://x{{/rapport-link}}', 'no helper called "rapport-link"'],
    ['{{{{raw}}}} {{x}} {{{{/raw}}}}', 'Raw blocks'],
  ])('%s is refused', (source, why) => expect(faultOf(source)).toContain(why))

  test('what objects inherit, and functions, are not there', () => {
    const host = {
      own: { toString: () => 'called' },
      run: () => 'called',
      nested: Object.create({ inherited: 'seen' }),
    }
    expect(
      render('{{own}}{{run}}{{nested.inherited}}{{own.toString}}{{toString}}{{hasOwnProperty}}{{own.valueOf}}', host),
    ).toBe('')
    expect(
      render('{{lookup . "__proto__"}}{{lookup . "constructor"}}{{lookup this name}}', { name: '__proto__' }),
    ).toBe('')
    expect(render('{{#with this as |o|}}{{o.x}}{{lookup o "constructor"}}{{/with}}', { x: 1 })).toBe('1')
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  test.each([[{ type: 'Program', body: [] }], [['{{x}}']], [null], [undefined], [7]])('%j is no template', (source) => {
    expect(faultOf(source)).toBe('1: A template is a text.')
  })
})

// Whatever takes more time than the input is long runs into the time that any test has.
describe('every template ends soon', () => {
  const long = Array.from({ length: 1_000 }, (_, index) => index)
  const bombs: [string, unknown][] = [
    ['{{#each a}}{{#each ../a}}{{#each ../../a}}x{{/each}}{{/each}}{{/each}}', { a: long }],
    ['{{#each a}}{{#each ../a}}{{#if (gt this 5000)}}x{{/if}}{{/each}}{{/each}}', { a: long }],
    ['{{#each a}}{{../text}}{{/each}}', { a: long, text: 'x'.repeat(100_000) }],
    ['{{#each a}}{{#if (eq (upper ../text) "x")}}y{{/if}}{{/each}}', { a: long, text: 'x'.repeat(1_000_000) }],
    ['{{#a}}{{#../a}}{{#../../a}}{{/../../a}}{{/../a}}{{/a}}'.replaceAll('{{/../', '{{/../'), { a: long }],
  ]
  test.each(bombs)('%s stops', (source, host) => {
    expect(() => render(source, host)).toThrow(/too often|2 MB/)
  })

  const sources: [string, string][] = [
    ['nested blocks', '{{#a}}'.repeat(20_000) + '{{/a}}'.repeat(20_000)],
    ['nested else', `${'{{#if a}}{{else if b}}'.repeat(20_000)}`],
    ['nested calls', `{{a ${'(b '.repeat(20_000)}${')'.repeat(20_000)}}}`],
    ['comments', '{{!-- a --}}'.repeat(40_000)],
    ['short comments', '{{! a }}'.repeat(60_000)],
    ['a comment that ends late', `{{!-- ${'-- '.repeat(100_000)}}}`],
    ['expressions', '{{a}}'.repeat(100_000)],
    ['a long expression', `{{a ${'b '.repeat(200_000)}}}`],
    ['a text that hides the end', `{{a "}}" ${'b '.repeat(200_000)}}}`],
    ['a bracket that hides the end', `{{a.[}}] ${'b '.repeat(200_000)}}}`],
    ['braces', '{'.repeat(500_000)],
    ['escapes', '\\{{'.repeat(150_000)],
    ['triple', '{{{a}}'.repeat(80_000)],
    ['too large', 'é'.repeat(300_000)],
  ]
  test.each(sources)('%s are refused at once', (_name, source) => {
    expect(faultOf(source)).not.toBe('no fault')
  })

  test('the largest template that is allowed is compiled and rendered', () => {
    const source = `${'x'.repeat(60)}\n{{#if a}}\n{{b}}\n{{/if}}\n`.repeat(1_650)
    expect(render(source, { a: 1, b: 2 })).toContain('2')
  })
})

describe('a mail', () => {
  test('names each fault with its part and line', () => {
    expect(compileMail({ subject: '{{#if x}}', html: '<p>\n{{/if}}', text: 'a\nb {{c' })).toEqual({
      errors: [
        { pointer: '/subject', line: 1, detail: expect.stringContaining('missing') },
        { pointer: '/body_html', line: 2, detail: expect.any(String) },
        { pointer: '/body_text', line: 2, detail: expect.stringContaining('not closed') },
      ],
    })
    expect(faultOf('a\n{{#if b}}\n{{/each}}')).toBe('2: {{#if}} is closed by {{/each}}.')
  })

  test('has a subject of one line, whatever the data', () => {
    const mail = compileMail({ subject: 'Pour {{name}} & moi', html: '<p>{{name}}</p>' })
    if ('errors' in mail) throw new Error('faults')
    const { subject, html } = mail.render({ name: 'Zoé\r\nBcc: x@y.example\u2028<b>' })
    expect(subject).toBe('Pour Zoé Bcc: x@y.example <b> & moi')
    expect(html).toContain('&lt;b&gt;')
  })

  test('has a text made from its HTML, with its merge fields', () => {
    const html = `<html><head><title>no</title><style>p{}</style></head><body><h1>{{promo_title}}</h1>
      <p>Cher {{customer.first_name}},<br>voici {{#each menu_items}}<strong>{{name}}</strong> {{/each}}</p>
      <p><a href='{{booking_link}}'>Réservez</a> <img src="x" alt="no"></p></body></html>`
    const mail = compileMail({ subject: 's', html })
    if ('errors' in mail) throw new Error('faults')
    const { text } = mail.render({ ...data, booking_link: 'https://moulin.example/?a=1&b=2' })
    expect(text).toBe(
      `Soirée <tarte> & "cidre"\n\nCher O'Neil,\nvoici Tarte Cidre=brut \n\nRéservez [https://moulin.example/?a=1&b=2]\n`,
    )
  })
})
