import { expect, test } from 'vitest'
import { prepareMessage, type MessageLinks, type MessageOptions, type PreparedMessage } from './message.ts'

const options: MessageOptions = {
  publicUrl: 'https://r.example',
  workspace: {
    name: 'Le Vieux <Moulin>',
    postalAddress: '1 rue du Moulin\n33590 Vensac',
    language: 'fr',
    timezone: 'Europe/Paris',
    currency: 'EUR',
  },
  campaign: { name: 'Été' },
  data: { promo_title: 'Soirée', contact: 'cannot be replaced' },
}
const maria = { contact: { first_name: 'Maria', custom_fields: { table: 7 } }, language: 'fr' }
const links: MessageLinks = {
  openToken: 'OPEN',
  linkToken: (number, target) => `L${number}${target === null ? '' : `-${target}`}`,
  unsubscribeUrl: 'https://r.example/u/U',
  preferencesUrl: 'https://r.example/p/P',
}

function prepare(html: string, more: { subject?: string; text?: string } = {}, changed = options): PreparedMessage {
  const prepared = prepareMessage({ subject: more.subject ?? 's', html, text: more.text ?? null }, changed)
  if ('errors' in prepared) throw new Error(JSON.stringify(prepared.errors))
  return prepared
}

const hrefs = (html: string): string[] =>
  Array.from(html.matchAll(/href\s*=\s*["']?([^"'>\s]*)/gi), ([, href]) => href!)

test('every web address is wrapped, once each, and nothing else', () => {
  const prepared = prepare(`<body>
    <a href="https://a.example/?x=1&amp;y=2">1</a> <A HREF='HTTP://b.example'>2</A> <a class=x href=https://c.example/z>3</a>
    <a href="https://a.example/?x=1&amp;y=2">again</a> <area href="https://d.example">
    <a href="mailto:a@b.example">m</a> <a href="tel:+33">t</a> <a href="#top">#</a> <a href="/local">l</a>
    <a href="{{unsubscribe_url}}">u</a> <a href="{{preferences_url}}">p</a> <a>none</a> <a title="a > b" href="https://e.example">5</a>
    <!-- <a href="https://comment.example"> --> <style>a[href="https://style.example"]{}</style>
    <img alt='<a href="https://alt.example">' src="https://i.example/x.png"> <a href="https://">broken</a></body>`)
  expect(prepared.links.map((link) => link.url)).toEqual([
    'https://a.example/?x=1&y=2',
    'HTTP://b.example',
    'https://c.example/z',
    'https://d.example',
    'https://e.example',
  ])
  const t = (n: number): string => `https://r.example/t/c/L${n}`
  expect(hrefs(prepared.build(maria, links).html)).toEqual([
    t(0),
    t(1),
    t(2),
    t(0),
    t(3),
    'mailto:a@b.example',
    'tel:+33',
    '#top',
    '/local',
    links.unsubscribeUrl,
    links.preferencesUrl,
    t(4),
    'https://comment.example',
    'https://style.example',
    'https://alt.example',
    'https://',
  ])
})

test('an address of one person alone travels with the link, and must be one to follow', () => {
  const prepared =
    prepare(`<a href='{{booking_link}}'>a</a> <a href="https://a.example/{{contact.first_name}}?b=1&amp;c={{contact.custom_fields.table}}">b</a>
    {{#each items}}<a href="{{this.url}}">{{this.name}}</a>{{/each}}`)
  expect(prepared.links.map(({ url, fixed }) => [url, fixed])).toEqual([
    ['{{booking_link}}', false],
    ['https://a.example/{{contact.first_name}}?b=1&c={{contact.custom_fields.table}}', false],
    ['{{this.url}}', false],
  ])
  const data = {
    booking_link: 'javascript:alert(1)',
    items: [
      { url: 'https://1.example/?a=b&c', name: 'x' },
      { url: 'mailto:a@b.example' },
      { url: ' \u0001java\tscript:1' },
      { url: 'https://l.example/'.padEnd(900, 'x') },
    ],
  }
  expect(hrefs(prepared.build({ ...maria, data }, links).html).slice(0, 6)).toEqual([
    '#',
    'https://r.example/t/c/L1-https://a.example/Maria?b&#x3D;1&amp;c&#x3D;7',
    'https://r.example/t/c/L2-https://1.example/?a&#x3D;b&amp;c',
    'mailto:a@b.example',
    expect.not.stringContaining('script:1"'),
    'https://l.example/'.padEnd(900, 'x'),
  ])
})

test('no tracking at all where none is allowed', () => {
  const prepared = prepare('<a href="https://a.example/">a</a><a href="{{booking_link}}">b</a>')
  const { html, text } = prepared.build(
    { ...maria, data: { booking_link: 'https://b.example/' } },
    { ...links, openToken: null, linkToken: null },
  )
  expect(html).not.toMatch(/\/t\/|<img/)
  expect(hrefs(html).slice(0, 2)).toEqual(['https://a.example/', 'https://b.example/'])
  expect(text).not.toContain('/t/')
})

test('whoever forgets the way out gets one, in the reader’s language, before the end of the body', () => {
  const { html, text } = prepare('<html><body><p>x</p></BODY></html>').build({ ...maria, language: 'ro' }, links)
  expect(html).toMatch(
    /<p>x<\/p><div.*Dezabonare.*<\/div><img src="https:\/\/r\.example\/t\/o\/OPEN\.gif"[^>]*><\/BODY><\/html>$/s,
  )
  expect(html).toContain('Le Vieux &lt;Moulin&gt;')
  expect(html).toContain('1 rue du Moulin, 33590 Vensac')
  expect(text).toMatch(/Le Vieux <Moulin>\.\nDezabonare: https:\/\/r\.example\/u\/U\n/)
  const own = prepare('<p><a href="{{unsubscribe_url}}">out</a></p>', { text: 'out: {{unsubscribe_url}}' }).build(
    maria,
    links,
  )
  expect(own.html.match(/\/u\/U/g)).toHaveLength(1)
  expect(own.html).toMatch(/OPEN\.gif/)
  expect(own.text).toBe('out: https://r.example/u/U')
  const hidden = prepare('{{#if never}}<a href="{{unsubscribe_url}}">out</a></body>{{/if}}').build(maria, links)
  expect(hidden.html).toMatch(/Se désabonner/)
})

test('the text has the same links by the same numbers', () => {
  const prepared = prepare(
    '<p>{{contact.first_name}}</p><a href="https://a.example/">a</a> <a href="{{booking_link}}">b</a> <a href="https://b.example">https://b.example</a>',
  )
  const { text } = prepared.build({ ...maria, data: { booking_link: 'https://x.example/1' } }, links)
  expect(text).toContain(
    'Maria\n\na [https://r.example/t/c/L0] b [https://r.example/t/c/L1-https://x.example/1] https://r.example/t/c/L2',
  )
  const given = prepare('<p>x</p>', {
    text: 'See https://a.example/b, or (https://a.example/c?d={{contact.first_name}}).',
  })
  expect(given.build(maria, links).text).toContain(
    'See https://r.example/t/c/L0, or (https://r.example/t/c/L1-https://a.example/c?d=Maria).',
  )
})

test('data of the campaign and of the person, in this order of strength', () => {
  const prepared = prepare(
    '{{promo_title}} {{customer.first_name}} {{contact.custom_fields.table}} {{workspace.name}} {{campaign.name}}',
    { subject: '{{promo_title}} {{contact.first_name}}' },
  )
  expect(prepared.build(maria, links).html).toContain('Soirée Maria 7 Le Vieux &lt;Moulin&gt; Été')
  expect(prepared.build({ ...maria, data: { promo_title: 'Rien que pour vous' } }, links).subject).toBe(
    'Rien que pour vous Maria',
  )
})

test('faults are told before anything is sent', () => {
  expect(prepareMessage({ subject: '{{#if', html: '{{nope 1}}' }, options)).toMatchObject({
    errors: [{ pointer: '/subject' }, { pointer: '/body_html' }],
  })
})

// Whatever takes more time than the input is long runs into the time that any test has.
test('hostile HTML costs no more than its length', () => {
  for (const part of [
    '<!--',
    '<a href="',
    '<a href=x ',
    "<a b='",
    '<a ',
    '<style>',
    '<a href=" <b \'',
    '< <',
    '</body',
  ]) {
    const html = part.repeat(Math.floor(1_000_000 / part.length))
    expect(prepareMessage({ subject: 's', html, text: 'x' }, options), part).toBeDefined()
  }
})
