/** A graph as a tree for terminals. With `isPlain` a list in words and ASCII, which a screen reader can follow. */
import { type Paint, paint } from "../output.ts"
import { type Badge, tonePaints } from "./graph-badges.ts"
import {
  accountFacts,
  accountsSummary,
  adderWords,
  centreName,
  deviceBadge,
  historyWords,
  lastProvenWords,
  shown,
  whyWords,
} from "./graph-facts.ts"
import type { Account, GraphDevice, IdentityGraph } from "./graph-model.ts"
import { breakCells, cellsOf, padCells } from "./text-cells.ts"

export interface Look {
  readonly color: boolean
  /** Columns. */
  readonly width: number
  readonly isPlain: boolean
}

/** One entry: its own lines, and what hangs on it. */
interface Branch {
  readonly lines: readonly Line[]
  readonly children: readonly Branch[]
}

interface Line {
  readonly text: string
  readonly how?: Paint
  /** Belongs to the line above it. */
  readonly isUnder?: boolean
  /** A part at the start of `text` in a colour of its own. */
  readonly mark?: { readonly text: string; readonly how: Paint }
}

export function graphTree(graph: IdentityGraph, look: Look): string {
  return (look.isPlain ? plainLines(graph) : drawTree(treeOf(graph, look), look, { first: "", rest: "" })).join("\n")
}

function treeOf(graph: IdentityGraph, look: Look): Branch {
  const { centre, accounts, devices } = graph
  const { width } = look
  const nameCells = Math.min(widest(accounts.map(({ subject }) => shown(subject))), Math.floor(width / 2))
  const root = badgeLine(centre.badge, "identity", centre.badge.word, 0)
  return {
    lines: [root, ...centreLines(graph)],
    children: [
      {
        lines: [headLine("accounts", accountsSummary(graph))],
        children: accounts.map((account) => ({ lines: accountLines(account, { nameCells, width }), children: [] })),
      },
      ...(devices.length === 0
        ? []
        : [{ lines: [headLine("devices", String(devices.length))], children: deviceBranches(graph, undefined) }]),
    ],
  }
}

function centreLines({ centre }: IdentityGraph): readonly Line[] {
  const { primary, previous, chain } = centre
  return [
    ...(primary === undefined ? [] : [{ text: centreName(centre), how: "bold" } as const]),
    ...previous.map((key): Line => ({ text: `was ${shown(key)}`, how: "dim" })),
    ...(chain === undefined ? [] : [{ text: `chain ${chain.id}`, how: "dim" } as const]),
    { text: historyWords(centre).join(", "), how: "dim" },
  ]
}

function headLine(title: string, summary: string): Line {
  return { text: `${title}  ${summary}`, mark: { text: title, how: "bold" } }
}

function badgeLine({ glyph, tone }: Badge, name: string, words: string, nameCells: number): Line {
  const mark = { text: `${glyph} `, how: tonePaints[tone] }
  return { text: `${glyph} ${padCells(name, nameCells)}  ${words}`.trimEnd(), mark }
}

/** Three guides stand before an account. */
const accountGuides = 6

function accountLines(account: Account, { nameCells, width }: { readonly nameCells: number; readonly width: number }) {
  const { subject, badge, isProven } = account
  const words = [badge.word, ...sideWords(account)].join(", ")
  const { source, seen } = accountFacts(account)
  const place = source === "" || isProven ? undefined : [source, seen].join("  ").trimEnd()
  const whole = badgeLine(badge, shown(subject), words, nameCells)
  const [head, below] =
    cellsOf(whole.text) + accountGuides <= width ? [whole, undefined] : [badgeLine(badge, shown(subject), "", 0), words]
  const under = [below, whyWords(account), lastProvenWords(account), place].filter((text) => text !== undefined)
  return [head, ...under.map((text): Line => ({ text, isUnder: true, ...(text === below ? {} : { how: "dim" }) }))]
}

function sideWords({ isAsked, isListed }: Account): readonly string[] {
  return [...(isListed === false ? ["not in the chain"] : []), ...(isAsked ? ["asked"] : [])]
}

function deviceBranches(graph: IdentityGraph, parent: number | undefined): readonly Branch[] {
  return graph.devices.flatMap((device, place) =>
    device.parent === parent ? [{ lines: deviceLines(graph, device), children: deviceBranches(graph, place) }] : [],
  )
}

/** The key has a line of its own: whole, it is as long as a line. */
function deviceLines(graph: IdentityGraph, device: GraphDevice): readonly Line[] {
  const badge = deviceBadge(device)
  const words = [adderWords(device, graph), ...(device.isAsked ? ["asked"] : [])].join(", ")
  const mark = { text: `${badge.glyph} `, how: tonePaints[badge.tone] }
  return [{ text: `${badge.glyph} ${badge.word}, ${words}`, mark }, { text: device.key }]
}

/** What stands before the first line of a branch, and before all under it. */
interface Guides {
  readonly first: string
  readonly rest: string
}

function drawTree({ lines, children }: Branch, look: Look, { first, rest }: Guides): readonly string[] {
  const below = children.length === 0 ? rest : `${rest}│ `
  const own = lines.flatMap((line, at) => drawLine(line, look, { first: at === 0 ? first : below, rest: below }))
  const under = children.flatMap((child, at) => {
    const [knee, side] = at === children.length - 1 ? ["└─ ", "   "] : ["├─ ", "│  "]
    return drawTree(child, look, { first: `${rest}${knee}`, rest: `${rest}${side}` })
  })
  return [...own, ...under]
}

/** One line, in as many as the terminal needs; what follows the first stands under its text. */
function drawLine(line: Line, look: Look, { first, rest }: Guides): readonly string[] {
  const hang = line.mark === undefined ? "" : "  "
  const indent = line.isUnder === true ? "  " : ""
  const room = look.width - cellsOf(rest) - indent.length
  const [start = "", ...more] = breakCells(line.text, room)
  const rows = [start, ...more.flatMap((text) => breakCells(text, room - hang.length))]
  return rows.map((text, at) => {
    const guides = at === 0 ? first : rest
    const guide = guides === "" ? "" : paint(look.color, "dim", guides)
    return `${guide}${indent}${at === 0 ? "" : hang}${coloured(text, line, look.color)}`.trimEnd()
  })
}

function coloured(text: string, { how, mark }: Line, color: boolean): string {
  if (mark !== undefined && text.startsWith(mark.text)) {
    return `${paint(color, mark.how, mark.text)}${text.slice(mark.text.length)}`
  }
  return how === undefined ? text : paint(color, how, text)
}

function plainLines(graph: IdentityGraph): readonly string[] {
  const { centre, accounts, devices } = graph
  return [
    `identity: ${centreName(centre)}, ${centre.badge.word}`,
    ...centre.previous.map((key) => `  earlier key: ${shown(key)}`),
    ...(centre.chain === undefined ? [] : [`  chain: ${centre.chain.id}`]),
    `  ${historyWords(centre).join(", ")}`,
    `accounts: ${accountsSummary(graph)}`,
    ...accounts.map((account) => `  - ${plainAccount(account)}`),
    `devices: ${devices.length === 0 ? "none" : devices.length}`,
    ...devices.map((device) => `  - ${device.key}, ${plainDevice(device)}`),
  ]
}

function plainAccount(account: Account): string {
  const words = [account.badge.word, ...sideWords(account), lastProvenWords(account)]
  const why = whyWords(account)
  return `${accountFacts(account).account}: ${words.filter((word) => word !== undefined).join(", ")}${why === undefined ? "" : `. ${why}`}`
}

function plainDevice(device: GraphDevice): string {
  const { addedBy, isAsked } = device
  return [deviceBadge(device).word, `added by ${addedBy}`, ...(isAsked ? ["asked"] : [])].join(", ")
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(cellsOf))
}
