/** A graph as one page: the picture, and tables that say the same. No script, nothing from elsewhere, its one style allowed by its digest. */
import { createHash } from "node:crypto"
import { version } from "../version.ts"
import type { Badge } from "./graph-badges.ts"
import { columnSvg } from "./graph-column.ts"
import { accountFacts, adderWords, deviceBadge, historyWords, shown } from "./graph-facts.ts"
import { badgeIcons } from "./graph-icons.ts"
import type { Account, GraphDevice, IdentityGraph } from "./graph-model.ts"
import { drawGraph, summaryOf, titleOf } from "./graph-svg.ts"
import { maxFitWidth, pageStyle } from "./page-style.ts"
import { xmlText } from "./xml-text.ts"

export function graphHtml(graph: IdentityGraph): string {
  const style = pageStyle()
  const digest = createHash("sha256").update(style).digest("base64")
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`
  const title = titleOf(graph)
  return `${[
    "<!doctype html>",
    `<html lang="en">`,
    "<head>",
    `<meta charset="utf-8">`,
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta name="referrer" content="no-referrer">`,
    `<meta name="color-scheme" content="light dark">`,
    `<title>${xmlText(title)} · KEZ</title>`,
    `<style>${style}</style>`,
    "</head>",
    "<body>",
    "<main>",
    headHtml(graph, title),
    picturesHtml(graph),
    accountsHtml(graph),
    ...(graph.devices.length === 0 ? [] : [devicesHtml(graph)]),
    footHtml(),
    "</main>",
    "</body>",
    "</html>",
  ].join("\n")}\n`
}

function headHtml(graph: IdentityGraph, title: string): string {
  const { centre } = graph
  const { primary, previous, chain, badge } = centre
  const facts: ReadonlyArray<readonly [term: string, html: string]> = [
    ["Identity", primary === undefined ? "unknown" : code(primary)],
    ["History", `${badgeHtml(badge)} ${xmlText(historyWords(centre).join(", "))}`],
    ...(chain === undefined ? [] : [["Chain", code(chain.id)] as const]),
    ...previous.map((key) => ["Earlier key", code(key)] as const),
  ]
  return [
    "<header>",
    `<h1><bdi>${xmlText(title)}</bdi></h1>`,
    `<p class="summary soft">${xmlText(summaryOf(graph))}</p>`,
    `<dl>${facts.map(([term, html]) => `<dt>${term}</dt><dd>${html}</dd>`).join("")}</dl>`,
    "</header>",
  ].join("\n")
}

/** Two drawings of one graph; a screen shows one of them. */
function picturesHtml(graph: IdentityGraph): string {
  const { svg, width } = drawGraph(graph, { isBare: true })
  const isLarge = width > maxFitWidth
  const choice = `<label class="size"><input type="checkbox"> Full size: scroll to see all of the picture</label>`
  return [
    ...(isLarge ? [choice] : []),
    `<figure class="wide"${isLarge ? ` tabindex="0" role="region" aria-label="Picture"` : ""}>`,
    svg,
    "</figure>",
    `<figure class="column">`,
    columnSvg(graph),
    "</figure>",
    `<p class="soft">Solid line: proven now. Dotted: not proven now.</p>`,
  ].join("\n")
}

function accountsHtml({ accounts }: IdentityGraph): string {
  return tableHtml({
    title: "Accounts",
    caption: "Each account that the identity's chain lists, and the one that was asked about.",
    columns: ["Account", "Status", "Listed", "Expires", "Last proven", "Looked at"],
    rows: accounts.map(accountCells),
  })
}

/** HTML of the cells of one row; "" where there is nothing to say. */
function accountCells(account: Account): readonly string[] {
  const facts = accountFacts(account)
  const { account: name, why, listed, number, expires, lastProven, source, seen } = facts
  return [
    `${code(name)}${account.isAsked ? " (asked)" : ""}`,
    badgeHtml(account.badge) + note(why),
    xmlText(listed) + note(number === "" ? "" : `number ${number}`),
    xmlText(expires),
    xmlText(lastProven),
    source === "" ? "" : placeHtml(source) + note(seen),
  ]
}

function devicesHtml(graph: IdentityGraph): string {
  const cells = (device: GraphDevice) => [
    `${code(device.key)}${device.isAsked ? " (asked)" : ""}`,
    badgeHtml(deviceBadge(device)),
    code(shown(device.addedBy)) + note(adderWords(device, graph)),
    String(device.seq),
  ]
  return tableHtml({
    title: "Devices",
    caption: "Keys that speak for the identity, and who added them.",
    columns: ["Device", "Status", "Added by", "Event"],
    rows: graph.devices.map(cells),
  })
}

interface HtmlTable {
  readonly title: string
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: ReadonlyArray<readonly string[]>
}

/** The roles are spelled out: browsers forget them where the style makes blocks of rows. */
function tableHtml({ title, caption, columns, rows }: HtmlTable): string {
  const head = columns.map((name) => `<th scope="col" role="columnheader">${name}</th>`).join("")
  const body = rows.map(([first = "", ...cells]) => {
    const rest = cells.map((html, at) => `<td role="cell" data-title="${columns[at + 1] ?? ""}">${html}</td>`).join("")
    return `<tr role="row"><th scope="row" role="rowheader">${first}</th>${rest}</tr>`
  })
  return [
    "<section>",
    `<h2>${title}</h2>`,
    `<table class="${title.toLowerCase()}" role="table"><caption>${caption}</caption>`,
    `<thead role="rowgroup"><tr role="row">${head}</tr></thead>`,
    `<tbody role="rowgroup">`,
    ...body,
    "</tbody></table>",
    "</section>",
  ].join("\n")
}

function badgeHtml({ glyph, word, tone }: Badge): string {
  const icon = `<svg class="kez" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><path class="icon icon-${tone}" d="${badgeIcons[glyph]}"/></svg>`
  return `<span class="status ${tone}">${icon} ${xmlText(word)}</span>`
}

/** A link for web addresses only: other schemes can do things. */
function placeHtml(source: string): string {
  const text = `<bdi class="place">${xmlText(source)}</bdi>`
  return /^https:\/\/[!-~]+$/.test(source)
    ? `<a href="${xmlText(source)}" rel="noopener noreferrer nofollow">${text}</a>`
    : text
}

function note(text: string): string {
  return text === "" ? "" : `<p><bdi>${xmlText(text)}</bdi></p>`
}

function code(text: string): string {
  return `<bdi><code>${xmlText(text)}</code></bdi>`
}

function footHtml(): string {
  return [
    "<footer>",
    "<p>A proof means the same owner as that account, never who that is. It says what was true when it was looked at.</p>",
    `<p>Made by kez ${version}. To look again: <code>kez graph</code>.</p>`,
    "</footer>",
  ].join("\n")
}
