/** Links in mails carry their token behind #, which no server log and no referrer ever sees. */
export function fragmentToken(): string | null {
  return new URLSearchParams(window.location.hash.slice(1)).get('token')
}
