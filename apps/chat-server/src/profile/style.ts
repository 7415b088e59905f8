/** The style of pages. The policy of a page names it by its hash: no other style, and no script, runs. */
import { createHash } from "node:crypto"

export const style = `
:root { color-scheme: light dark; --ink: #1c2128; --soft: #5b6470; --line: #e2e5ea; --page: #f4f5f7; --card: #ffffff; --mark: #0b6e5f; --tint: #e3f3f0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --soft: #9aa4b2; --line: #2c333d; --page: #12151a; --card: #1a1f26; --mark: #5fd0bd; --tint: #17332f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 38rem; margin: 0 auto; padding: clamp(1.25rem, 6vw, 4rem) 1.25rem 3rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: clamp(1.25rem, 4vw, 2rem); }
header { display: flex; gap: 1rem; align-items: center; margin-bottom: 1.5rem; }
.sign { flex: none; width: 3.5rem; height: 3.5rem; border-radius: 50%; background: var(--tint); color: var(--mark); display: grid; place-items: center; font-size: 1.5rem; font-weight: 650; text-transform: uppercase; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
header p { margin: 0.15rem 0 0; color: var(--soft); }
h2 { margin: 1.75rem 0 0.5rem; font-size: 0.8rem; font-weight: 650; letter-spacing: 0.06em; text-transform: uppercase; color: var(--soft); }
ul, dl { margin: 0; padding: 0; list-style: none; }
li, dl > div { display: grid; grid-template-columns: 6.5rem 1fr; gap: 0.75rem; padding: 0.6rem 0; border-top: 1px solid var(--line); }
li span, dt { color: var(--soft); }
dd { margin: 0; }
li > :last-child, dd { min-width: 0; overflow-wrap: anywhere; }
a { color: var(--mark); text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
a:focus-visible { outline: 3px solid var(--mark); outline-offset: 3px; border-radius: 4px; }
code { font: 0.85em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre { margin: 0.5rem 0 0; padding: 0.8rem 1rem; border-radius: 10px; background: var(--page); border: 1px solid var(--line); overflow-x: auto; }
.note { margin: 0.5rem 0 0; color: var(--soft); font-size: 0.92rem; }
footer { margin-top: 1.25rem; color: var(--soft); font-size: 0.85rem; text-align: center; }
@media (max-width: 26rem) { li, dl > div { grid-template-columns: 1fr; gap: 0.1rem; } }
`

const styleHash = createHash("sha256").update(style).digest("base64")

export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${styleHash}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ")
