/** The style of the page: a column that holds on 320 px, in light and dark, and on paper. */
import { dark, light, monoFonts, type Palette, sansFonts, svgStyle } from "./graph-style.ts"

/** Above this the picture cannot be read when it fits the window. */
export const maxFitWidth = 1_400

export function pageStyle(): string {
  return [
    svgStyle(),
    `:root{color-scheme:light dark;${colours(light)}}`,
    `@media screen and (prefers-color-scheme:dark){:root{${colours(dark)}}}`,
    rules,
    narrow,
    print,
  ].join("")
}

function colours({ paper, card, edge, ink, soft, accent, tones }: Palette): string {
  const named = { paper, card, edge, ink, soft, accent, ...tones }
  return Object.entries(named)
    .map(([name, value]) => `--${name}:${value}`)
    .join(";")
}

const rules = [
  "*{box-sizing:border-box}",
  `body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 ${sansFonts}}`,
  "main{max-inline-size:88rem;margin-inline:auto;padding:clamp(1rem,3vw,3rem)}",
  "h1{font-size:clamp(1.4rem,3vw,2rem);line-height:1.2;margin:0;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:2.5rem 0 .5rem}",
  ".soft,footer,caption{color:var(--soft)}.summary{margin:.4rem 0 0}",
  `code,.place{font-family:${monoFonts};font-size:.875em;overflow-wrap:anywhere}`,
  "dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.25rem;margin:1.5rem 0 0}dt{color:var(--soft)}dd{margin:0;min-inline-size:0}",
  "figure{margin:2rem 0 0;overflow-x:auto}figure svg{display:block;inline-size:auto;max-inline-size:100%;block-size:auto;margin-inline:auto}",
  ".column{display:none}.size{display:inline-flex;gap:.5rem;align-items:center;min-block-size:1.75rem;margin-block-start:1rem}",
  ".size:has(:checked)+.wide svg{max-inline-size:none}",
  "figure:focus-visible,a:focus-visible,input:focus-visible{outline:3px solid var(--accent);outline-offset:3px}",
  "table{inline-size:100%;table-layout:fixed;border-collapse:collapse;background:var(--card);border:1px solid var(--edge);border-radius:10px}",
  "caption{text-align:start;padding-block-end:.5rem}th,td{text-align:start;vertical-align:top;padding:.6rem .75rem;overflow-wrap:anywhere;border-block-start:1px solid var(--edge)}",
  // Shares of the width: what strangers wrote must not decide.
  ...["24%", "25%", "8%", "9%", "11%"].map(
    (share, at) => `.accounts thead th:nth-child(${at + 1}){inline-size:${share}}`,
  ),
  ...["38%", "13%", "41%"].map((share, at) => `.devices thead th:nth-child(${at + 1}){inline-size:${share}}`),
  "thead th{border:0;font-size:.8rem;color:var(--soft);font-weight:600;overflow-wrap:normal}tbody th{font-weight:600}td p{margin:.15rem 0 0;font-size:.875em;color:var(--soft)}",
  ".status{font-weight:600}.status svg{vertical-align:-.1em}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.muted{color:var(--muted)}",
  "a{color:var(--accent)}footer{margin-block-start:3rem;font-size:.875rem}footer p{margin:.25rem 0}",
].join("")

/** Rows become blocks: a table of six columns cannot be read on a phone. */
const narrow = `@media screen and (max-width:48rem){${[
  ".wide,.size{display:none}.column{display:block}.column svg{inline-size:min(100%,26rem)}",
  "dl{grid-template-columns:1fr;gap:0}dd{margin-block-end:.6rem}",
  "table,tbody,tr,th,td,caption{display:block}thead{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%)}",
  "tr{padding:.6rem 0;border-block-start:1px solid var(--edge)}tr:first-child{border:0}",
  "table{border:0;background:none}tbody{background:var(--card);border:1px solid var(--edge);border-radius:10px}",
  "th,td{border:0;padding:.2rem .9rem;overflow-wrap:anywhere}td:empty{display:none}td[data-title]::before{content:attr(data-title) ' ';color:var(--soft);font-size:.8rem}",
].join("")}}`

const print =
  "@media print{body{background:none;font-size:9pt}th,td{padding:.25rem .4rem}h2,caption{break-after:avoid}main{padding:0}.size,.column{display:none}figure{overflow:visible}tr{break-inside:avoid}a{color:inherit;text-decoration:none}}"
