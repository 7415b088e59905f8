/** The same picture for narrow screens: one column under the identity, with the lines at its side. */
import { accountCard, type Card, type CardStyle, cardSvg, centreSvg, deviceCard, roomy } from "./graph-cards.ts"
import type { IdentityGraph } from "./graph-model.ts"
import { centreSize, frameSvg } from "./graph-svg.ts"

/** Fits a screen of 320 px with its margins. */
const width = 288
const indent = 24
/** Deeper ones are not moved in further: their line still tells who added them. */
const maxDepth = 3
const style: CardStyle = { ...roomy, nameSize: 12 }
const step = style.height + 16
const top = 10
/** Behind the lower edge of the identity. */
const below = top + centreSize.height - 12

interface Row {
  readonly card: Card
  readonly depth: number
  /** Row that it hangs on; undefined for the identity. */
  readonly parent: number | undefined
  readonly link: string
}

export function columnSvg(graph: IdentityGraph): string {
  const rows = rowsOf(graph)
  const first = top + centreSize.height + step / 2 + 6
  const middle = (at: number) => first + at * step
  const height = rows.length === 0 ? top + centreSize.height + 4 : middle(rows.length - 1) + step / 2 + 2
  const content = [
    `<g>${linksSvg(rows, middle)}</g>`,
    `<g transform="translate(${width / 2} ${top + centreSize.height / 2})">${centreSvg(graph, centreSize)}</g>`,
    ...rows.map(({ card, depth }, at) => {
      const left = leftOf(depth)
      return `<g transform="translate(${left} ${middle(at)})">${cardSvg(card, width - left - 2, style)}</g>`
    }),
  ]
  return frameSvg(graph, { width, height }, content, "kez-column")
}

function rowsOf({ accounts, devices }: IdentityGraph): readonly Row[] {
  const accountRows = accounts.map(
    (account): Row => ({
      card: accountCard(account),
      depth: 0,
      parent: undefined,
      link: `link-${account.badge.tone}${account.isProven ? "" : " far"}`,
    }),
  )
  const deviceRows = devices.map(
    (device): Row => ({
      card: deviceCard(device),
      depth: Math.min(device.depth, maxDepth),
      parent: device.parent === undefined ? undefined : device.parent + accounts.length,
      link: device.isSuspended ? "link-warn far" : "link-muted",
    }),
  )
  return [...accountRows, ...deviceRows]
}

function leftOf(depth: number): number {
  return indent + depth * 16
}

/** How far down a turn to the right begins before its middle. */
const turn = 8

/** One line down from each box to the last of those that hang on it, and from there one to each, which shows how it is. */
function linksSvg(rows: readonly Row[], middle: (at: number) => number): string {
  const trunks = [undefined, ...rows.keys()].map((from) => {
    const last = rows.findLastIndex(({ parent }) => parent === from)
    return last === -1
      ? ""
      : trunkSvg(trunkOf(rows, from), { top: from === undefined ? below : middle(from), end: middle(last) - turn })
  })
  const branches = rows.map(({ depth, parent, link }, at) => {
    const [x, y] = [trunkOf(rows, parent), middle(at)]
    const end = Math.max(leftOf(depth), x + turn) + 4
    return `<path class="link ${link}" d="M${x} ${y - turn}Q${x} ${y} ${x + turn} ${y}H${end}"/>`
  })
  return [...trunks, ...branches].join("")
}

/** Where the line under a box is. */
function trunkOf(rows: readonly Row[], from: number | undefined): number {
  const row = from === undefined ? undefined : rows[from]
  return row === undefined ? 14 : leftOf(row.depth) + 8
}

function trunkSvg(x: number, { top: start, end }: { readonly top: number; readonly end: number }): string {
  return `<path class="link link-muted" d="M${x} ${start}V${end}"/>`
}
