/** A first message to change, rather than an empty page. */
export function starterHtml(words: { greeting: string; body: string; unsubscribe: string }): string {
  return `<!doctype html>
<html>
  <body style="margin:0;background:#f4f2ee;font-family:Arial,sans-serif;color:#23211d">
    <table role="presentation" width="100%" cellpadding="0" cellspacing="0">
      <tr><td align="center" style="padding:32px 16px">
        <table role="presentation" width="560" cellpadding="0" cellspacing="0" style="max-width:100%;background:#ffffff;border-radius:8px">
          <tr><td style="padding:32px;font-size:16px;line-height:1.55">
            <p>${words.greeting}</p>
            <p>${words.body}</p>
          </td></tr>
        </table>
        <p style="font-size:12px;color:#625d54">
          <a href="{{unsubscribe_url}}" style="color:#625d54">${words.unsubscribe}</a>
        </p>
      </td></tr>
    </table>
  </body>
</html>
`
}
