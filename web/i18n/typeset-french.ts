// French wants a space that does not break before its tall punctuation. The catalogue is written with plain spaces, and
// set here once, so that no translator has to type an invisible character.

type Texts = { readonly [key: string]: string | Texts }

const narrow = '\u202f'
const wide = '\u00a0'

export function typesetFrench<T extends Texts>(texts: T): T {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, typeof text === 'string' ? setLine(text) : typesetFrench(text)]),
  ) as T
}

function setLine(text: string): string {
  return text
    .replace(/ ([;!?])/g, `${narrow}$1`)
    .replace(/ ([:»%€])/g, `${wide}$1`)
    .replace(/« /g, `«${wide}`)
}
