/** How mail programs begin a quotation, in the languages that our customers' programs speak. Linear patterns only. */

const verbs =
  /\b(wrote|writes|schrieb|schreibt|geschrieben|scritto|escribi[oó]|escreveu|schreef|skrev|kirjoitti|napisa[lł]\w*)\b|\ba écrit\b|\ba ecrit\b|\ba scris\b/iu
const opening =
  /^(on|le|am|pe|în|in|la|el|em|op|il|den|dnia)\b|^["«„“]?[\p{L}]{2,12}[.,]* ?\d|^\d{1,4}[./-]\d{1,2}|^(lun|mar|mer|mie|joi|jeu|ven|vin|sam|sâm|dim|dum|mo|di|mi|do|fr|sa|so|tue|wed|thu|fri|sat|sun)\p{L}*[.,]/iu
const day = /\b\d{4}\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b/u
const clock = /\b\d{1,2}[:.h]\d{2}\b/iu
const address = /[^\s<>@]+@[^\s<>@]+/u

export interface Attribution {
  /** With somebody's address in it no person typed it: the quotation then needs no marks of its own. */
  hasAddress: boolean
}

/** `On Tue, 3 Nov 2026 at 10:12, Ana <ana@shop.example> wrote:`, in one piece. */
export function readAttribution(line: string): Attribution | null {
  const text = line.trim()
  if (text.length < 12 || text.length > 400 || !/[:：]$/.test(text)) return null
  if (!opening.test(text) || !verbs.test(text)) return null
  const hasAddress = address.test(text)
  // Both a day and either a clock or an address: people write "On Monday she wrote:" themselves.
  if (!day.test(text) || !(clock.test(text) || hasAddress)) return null
  return { hasAddress }
}

/** Whether an attribution may begin with this line; asked before lines are put together. */
export function mayBeginAttribution(line: string): boolean {
  return opening.test(line.trim())
}

const labels = {
  from: /^(from|de|von|de la|da|expéditeur)$/iu,
  sent: /^(sent|date|envoyé|envoyé le|gesendet|datum|trimis|trimis la|data|dată)$/iu,
  to: /^(to|à|a|an|către|catre|pour)$/iu,
  subject: /^(subject|objet|betreff|subiect)$/iu,
} as const

/** Which field of the head that Outlook puts above a quotation, `*From:* Ana`. */
export function readLabel(line: string): keyof typeof labels | null {
  const match = /^[*\s]*([\p{L}][\p{L} ]{0,14}?)\s*\*?\s*[:：]\s*\*?\s*\S/u.exec(line)
  const word = match?.[1]
  if (!word) return null
  for (const [name, pattern] of Object.entries(labels)) if (pattern.test(word)) return name as keyof typeof labels
  return null
}

const separator =
  /^[-_=*\s>]{2,}(original message|message d['’]origine|message original|ursprüngliche nachricht|originalnachricht|original[- ]nachricht|mesaj original|mesaj inițial|mesajul original|reply message|réponse)[-_=*\s]{2,}$/iu

export function isSeparator(line: string): boolean {
  return line.length < 120 && separator.test(line.trim())
}

export function isRule(line: string): boolean {
  return /^[_–—-]{5,}$/u.test(line.trim())
}

const forwarded =
  /^[-_=*\s]{2,}(forwarded message|message transféré|weitergeleitete nachricht|mesaj redirecționat|mesaj redirectionat)[-_=*\s]{2,}$|^(begin forwarded message|début du message réexpédié|début du message transféré|anfang der weitergeleiteten nachricht|mesaj redirecționat)\s*:$/iu

/** What somebody sends on is what they want to say; it is no quotation of ours. */
export function isForwardLine(line: string): boolean {
  return line.length < 120 && forwarded.test(line.trim())
}

const forwardSubjects = /^\s*((re|aw|sv|rv)\s*(\[\d+\])?\s*:\s*)*(fwd?|tr|wg|rv|i|enc|red)\s*:/iu

export function isForwardSubject(subject: string): boolean {
  return forwardSubjects.test(subject)
}

const devices =
  /^(sent from (my|yahoo|outlook|mail|proton|the all|samsung)|get outlook for|sent (from|with) .{1,40}(mobile|app)\b|envoyé (de|depuis|à partir)( de| d['’]| du)? ?(mon|ma|outlook|yahoo|l['’]application|mobile)|télécharger outlook|obtenir outlook|von meinem .{1,40} gesendet|gesendet (von|mit|aus) |outlook für |trimis (de pe|din|de la) |descărcați outlook|obțineți outlook|virus-free|virenfrei|garanti sans virus|fără viruși)/iu

/** The line that a telephone adds. */
export function isDeviceLine(line: string): boolean {
  return line.length < 140 && devices.test(line.trim())
}
