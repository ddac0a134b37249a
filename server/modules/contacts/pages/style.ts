/** The one style sheet of the public pages. Its hash is in their content policy. */
export const css = `
:root {
  --ground: #f3f5f9; --card: #ffffff; --ink: #1b2230; --soft: #576073; --line: #d9dee8;
  --accent: #2f5bd7; --accent-ink: #ffffff; --good: #17714a; --good-ground: #e6f4ec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12151c; --card: #1b202b; --ink: #e9ecf3; --soft: #a3adc0; --line: #343c4d;
    --accent: #8fb0ff; --accent-ink: #0d1424; --good: #7fd6a6; --good-ground: #17322a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 34rem; margin: 0 auto; padding: clamp(1.25rem, 8vh, 5rem) 1rem 2rem; }
.sender { margin: 0 0 1rem; padding: 0 .25rem; font-weight: 650; font-size: 1.05rem; overflow-wrap: anywhere; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: clamp(1.25rem, 5vw, 2.25rem); box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 8px 24px rgb(0 0 0 / .05);
}
h1 { margin: 0 0 .75rem; font-size: clamp(1.35rem, 4.5vw, 1.7rem); line-height: 1.25; letter-spacing: -.01em; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
ul { margin: 0 0 1.25rem; padding: 0; list-style: none; }
li { padding: .7rem 0; border-bottom: 1px solid var(--line); }
li:first-child { border-top: 1px solid var(--line); }
strong { font-weight: 600; }
.hint { display: block; color: var(--soft); font-size: .92rem; }
.small { color: var(--soft); font-size: .92rem; margin: 1.25rem 0 0; }
.notice { background: var(--good-ground); color: var(--good); border-radius: 10px; padding: .7rem 1rem; font-weight: 600; }
fieldset { margin: 0 0 1.25rem; padding: 0; border: 0; }
legend { padding: 0; margin: 0 0 1rem; overflow-wrap: anywhere; }
label { display: grid; grid-template-columns: auto 1fr; gap: .1rem .8rem; padding: .8rem 0; border-bottom: 1px solid var(--line); cursor: pointer; }
label:first-of-type { border-top: 1px solid var(--line); }
label input { width: 1.25rem; height: 1.25rem; margin: .15rem 0 0; accent-color: var(--accent); grid-row: span 2; }
button {
  display: block; width: 100%; min-height: 2.9rem; padding: .6rem 1.2rem; border-radius: 10px; border: 1px solid transparent;
  font: inherit; font-weight: 600; cursor: pointer; background: var(--accent); color: var(--accent-ink);
}
button:hover { filter: brightness(1.06); }
button + button { margin-top: .7rem; }
button.quiet { background: transparent; color: var(--ink); border-color: var(--line); }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`
