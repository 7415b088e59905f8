/** A graph as a picture that stands alone: no script, nothing from elsewhere, light and dark, readable by ear. */
import { shortKey, timeText } from "../short-text.ts"
import { accountCard, cardSvg, centreSvg, dense, deviceCard, roomy, widthFor } from "./graph-cards.ts"
import { accountsSummary, adderWords, deviceBadge, shortName, shown } from "./graph-facts.ts"
import { type Layout, layOut, type Sizes } from "./graph-layout.ts"
import type { IdentityGraph } from "./graph-model.ts"
import { svgStyle } from "./graph-style.ts"
import type { Point, Size } from "./ring.ts"
import { cutMiddle, xmlText } from "./xml-text.ts"

export const margin = 28
export const centreSize: Size = { width: 264, height: 108 }
const headHeight = 74
const footHeight = 34
/** Room for both sentences at the foot. */
const minWidth = 620
/** More accounts than this are drawn smaller, and their lines fainter. */
const maxRoomy = 24

export interface SvgOptions {
  /** For a page, which has its own style and headings. */
  readonly isBare?: boolean
}

export interface Drawing {
  readonly svg: string
  /** Natural width. */
  readonly width: number
}

export function graphSvg(graph: IdentityGraph): string {
  return `${drawGraph(graph).svg}\n`
}

export function drawGraph(graph: IdentityGraph, { isBare = false }: SvgOptions = {}): Drawing {
  const isDense = graph.accounts.length > maxRoomy
  const style = isDense ? dense : roomy
  const accounts = graph.accounts.map(accountCard)
  const devices = graph.devices.map(deviceCard)
  const sizes: Sizes = {
    centre: centreSize,
    account: { width: widthFor(accounts, style), height: style.height },
    device: { width: widthFor(devices, style), height: style.height },
    gap: style.gap,
  }
  const layout = layOut(accounts.length, devices.length, sizes)
  const { bounds } = layout
  const width = Math.ceil(Math.max(isBare ? 0 : minWidth, bounds.width + 2 * margin))
  const [head, foot] = isBare ? [0, 0] : [headHeight, footHeight]
  const height = Math.ceil(bounds.height + head + foot + 2 * margin)
  const origin = { x: round(width / 2 - bounds.left - bounds.width / 2), y: round(head + margin - bounds.top) }
  const boxes = [
    ...accounts.map((card, at) =>
      boxSvg(layout.accounts[at], sizes.account.width, cardSvg(card, sizes.account.width, style)),
    ),
    ...devices.map((card, at) =>
      boxSvg(layout.devices[at], sizes.device.width, cardSvg(card, sizes.device.width, style)),
    ),
  ]
  const content = [
    ...(isBare
      ? []
      : [
          `<style>${svgStyle()}</style>`,
          `<rect class="paper" width="${width}" height="${height}" rx="12"/>`,
          headSvg(graph, width),
        ]),
    `<g transform="translate(${origin.x} ${origin.y})">`,
    `<g${isDense ? ` class="many"` : ""}>${linksSvg(graph, layout, sizes)}</g>`,
    centreSvg(graph, centreSize),
    ...boxes,
    "</g>",
    ...(isBare ? [] : [footSvg(width, height)]),
  ]
  return { svg: frameSvg(graph, { width, height }, content), width }
}

/** The outermost element, with the words for those who do not see it. `name` keeps the ids of two on one page apart. */
export function frameSvg(
  graph: IdentityGraph,
  { width, height }: Size,
  content: readonly string[],
  name = "kez",
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="kez" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${name}-title ${name}-desc">`,
    `<title id="${name}-title">${xmlText(`Identity graph of ${titleOf(graph)}`)}</title>`,
    `<desc id="${name}-desc">${xmlText(descriptionOf(graph))}</desc>`,
    ...content,
    "</svg>",
  ].join("\n")
}

/** What the graph is about, short. */
export function titleOf({ asked, centre }: IdentityGraph): string {
  return asked.kind === "account" ? shown(asked.identity) : shortName(centre)
}

export function summaryOf(graph: IdentityGraph): string {
  const devices = graph.devices.length === 0 ? "none" : graph.devices.length
  return `accounts: ${accountsSummary(graph)} · devices: ${devices} · looked at ${timeText(graph.checkedAt)}`
}

function descriptionOf(graph: IdentityGraph): string {
  const { centre, accounts, devices } = graph
  return [
    `Identity ${shown(centre.primary ?? "unknown")}, ${centre.badge.word}.`,
    `${summaryOf(graph)}.`,
    ...accounts.map(({ subject, badge }) => `${shown(subject)}: ${badge.word}.`),
    ...devices.map(
      (device) => `Device ${shortKey(device.key)}: ${deviceBadge(device).word}, ${adderWords(device, graph)}.`,
    ),
  ].join(" ")
}

function boxSvg(middle: Point | undefined, width: number, content: string): string {
  if (middle === undefined) return ""
  return `<g transform="translate(${round(middle.x - width / 2)} ${middle.y})">${content}</g>`
}

/** Lines lie under the boxes, so they may run from middle to middle. */
function linksSvg({ accounts, devices }: IdentityGraph, layout: Layout, sizes: Sizes): string {
  const centre: Point = { x: 0, y: 0 }
  const toAccounts = accounts.map(({ badge, isProven }, at) =>
    lineSvg({ from: centre, to: layout.accounts[at], classes: `link-${badge.tone}${isProven ? "" : " far"}` }),
  )
  const toDevices = devices.map(({ parent, isSuspended }, at) => {
    const from = parent === undefined ? undefined : layout.devices[parent]
    const link = { from: from ?? centre, to: layout.devices[at], classes: isSuspended ? "link-warn far" : "link-muted" }
    // Neighbours are joined directly, others around the outside.
    return from === undefined || parent === at - 1 ? lineSvg(link) : bowSvg(link, sizes.device.height)
  })
  return [...toDevices, ...toAccounts].join("")
}

interface Link {
  readonly from: Point
  readonly to: Point | undefined
  readonly classes: string
}

function lineSvg({ from, to, classes }: Link): string {
  return to === undefined ? "" : `<path class="link ${classes}" d="M${from.x} ${from.y}L${to.x} ${to.y}"/>`
}

function bowSvg({ from, to, classes }: Link, bulge: number): string {
  if (to === undefined) return ""
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }
  const stretch = 1 + (2 * bulge) / (Math.hypot(middle.x, middle.y) || 1)
  return `<path class="link ${classes}" d="M${from.x} ${from.y}Q${round(middle.x * stretch)} ${round(middle.y * stretch)} ${to.x} ${to.y}"/>`
}

function headSvg(graph: IdentityGraph, width: number): string {
  const room = Math.floor((width - 2 * margin) / (22 * 0.66))
  return [
    `<text x="${margin}" y="46" font-size="22" class="ink strong">${xmlText(cutMiddle(titleOf(graph), room))}</text>`,
    `<text x="${margin}" y="69" font-size="13" class="soft">${xmlText(summaryOf(graph))}</text>`,
  ].join("")
}

function footSvg(width: number, height: number): string {
  const y = height - 20
  return [
    `<text x="${margin}" y="${y}" font-size="11" class="soft">Solid line: proven now. Dotted: not proven now.</text>`,
    `<text x="${width - margin}" y="${y}" font-size="11" text-anchor="end" class="soft">A proof means the same owner, never who that is.</text>`,
  ].join("")
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
