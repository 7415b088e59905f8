/** The boxes of the picture: what stands on them, and how they are drawn around a point. */
import { count, shortKey, timeText } from "../short-text.ts"
import type { Badge } from "./graph-badges.ts"
import { deviceBadge, historyWords, lastProvenWords, shortName, shown, whyWords } from "./graph-facts.ts"
import { badgeIcons, deviceIcon } from "./graph-icons.ts"
import type { Account, GraphDevice, IdentityGraph } from "./graph-model.ts"
import type { Size } from "./ring.ts"
import { cutMiddle, xmlText } from "./xml-text.ts"

/** Widths of characters in parts of the font size, of wide fonts: a text must fit where another font is used too. */
const monoAdvance = 0.61
export const sansAdvance = 0.58

export interface CardStyle {
  readonly nameSize: number
  readonly wordSize: number
  readonly height: number
  readonly minWidth: number
  readonly maxWidth: number
  /** Where text begins: the icon stands before it. */
  readonly inset: number
  readonly gap: number
}

export const roomy: CardStyle = {
  nameSize: 13,
  wordSize: 12,
  height: 54,
  minWidth: 176,
  maxWidth: 292,
  inset: 44,
  gap: 20,
}
/** For very many. */
export const dense: CardStyle = {
  nameSize: 12,
  wordSize: 11,
  height: 42,
  minWidth: 150,
  maxWidth: 256,
  inset: 36,
  gap: 8,
}

/** What one card says. */
export interface Card {
  readonly kind: "account" | "device"
  readonly name: string
  readonly badge: Badge
  readonly words: string
  /** Left out where there is no room. */
  readonly moreWords: string
  readonly isAsked: boolean
  /** All of it, for those who point at it or have it read out. */
  readonly title: string
}

export function accountCard(account: Account): Card {
  const { subject, badge, lastProven, isProven, isAsked, isListed } = account
  const listing = isListed === false ? "not in chain" : undefined
  const before = !isProven && lastProven !== undefined ? `proven ${timeText(lastProven).slice(0, 10)}` : undefined
  const title = [badge.word, listing, lastProvenWords(account), whyWords(account)]
  return {
    kind: "account",
    name: shown(subject),
    badge,
    words: badge.word,
    moreWords: joined([before, listing], " · "),
    isAsked,
    title: `${shown(subject)}: ${joined(title, ". ")}`,
  }
}

export function deviceCard(device: GraphDevice): Card {
  const badge = deviceBadge(device)
  return {
    kind: "device",
    name: shortKey(device.key),
    badge,
    words: `device · ${badge.word}`,
    moreWords: "",
    isAsked: device.isAsked,
    title: `Device ${device.key}: ${badge.word}, added by ${shown(device.addedBy)}`,
  }
}

/** Of the widest, within bounds: boxes of one size make a ring. */
export function widthFor(cards: readonly Card[], style: CardStyle): number {
  const { nameSize, wordSize, minWidth, maxWidth, inset } = style
  const wanted = cards.map((card) => {
    const text = Math.max(
      lengthOf(card.name) * nameSize * monoAdvance,
      lengthOf(allWords(card)) * wordSize * sansAdvance,
    )
    return text + inset + endOf(card)
  })
  return Math.ceil(Math.min(maxWidth, Math.max(minWidth, ...wanted)))
}

/** What stays free behind the text: a device has round ends, and its text begins later. */
function endOf({ kind }: Card): number {
  return kind === "device" ? 24 : 14
}

/** A card whose left edge is at 0 and whose middle is at y 0. */
export function cardSvg(card: Card, width: number, style: CardStyle): string {
  const { nameSize, wordSize, height } = style
  const isDevice = card.kind === "device"
  const inset = style.inset + (isDevice ? 4 : 0)
  const room = width - style.inset - endOf(card) + 1
  const name = cutMiddle(card.name, Math.floor(room / (nameSize * monoAdvance)))
  const most = Math.floor(room / (wordSize * sansAdvance))
  const words = lengthOf(allWords(card)) <= most ? allWords(card) : cutMiddle(card.words, most)
  const classes = ["card", ...(isDevice ? ["device"] : []), ...(card.isAsked ? ["asked"] : [])].join(" ")
  return [
    `<title>${xmlText(card.title)}</title>`,
    `<rect class="${classes}" y="${-height / 2}" width="${width}" height="${height}" rx="${isDevice ? height / 2 : 10}"/>`,
    iconSvg(card, { x: style.inset / 2 + (isDevice ? 4 : 1), r: style.inset / 2 - 9 }),
    `<text x="${inset}" y="-4" font-size="${nameSize}" class="mono">${nameSpans(name, card.kind)}</text>`,
    `<text x="${inset}" y="${wordSize + 1}" font-size="${wordSize}" class="${card.badge.tone}">${xmlText(words)}</text>`,
    ...(card.isAsked ? [askedTag(width, -height / 2)] : []),
  ].join("")
}

/** The identity itself, around the origin. */
export function centreSvg({ centre, asked }: IdentityGraph, { width, height }: Size): string {
  const { badge, previous, primary, chain } = centre
  const [left, top] = [-width / 2, -height / 2]
  const [length = "", ...rest] = historyWords(centre)
  const fresh = chain?.freshUntil === undefined ? rest : [`end signed until ${shown(chain.freshUntil).slice(0, 10)}`]
  const last = [...fresh, ...(previous.length === 0 ? [] : [count(previous.length, "earlier key")])]
  const title = [
    "Identity",
    shown(primary ?? "unknown"),
    badge.word,
    length,
    ...rest,
    ...previous.map((key) => `earlier key ${shown(key)}`),
  ]
  const isAsked = asked.kind === "chain" || asked.identity === primary
  const words = chain === undefined ? badge.word : `${badge.word} · ${length}`
  const foot = chain === undefined ? length : last.join(" · ")
  return [
    `<g><title>${xmlText(title.join(", "))}</title>`,
    `<rect class="identity" x="${left}" y="${top}" width="${width}" height="${height}" rx="16"/>`,
    `<text y="${top + 25}" font-size="11" text-anchor="middle" letter-spacing="1.4" class="accent strong">IDENTITY</text>`,
    `<text y="${top + 47}" font-size="15" text-anchor="middle" class="mono strong ink">${xmlText(shortName(centre))}</text>`,
    statusSvg(badge, words, top + 70),
    `<text y="${top + 91}" font-size="11.5" text-anchor="middle" class="soft">${xmlText(foot)}</text>`,
    ...(isAsked ? [`<g transform="translate(${left} 0)">${askedTag(width, top)}</g>`] : []),
    "</g>",
  ].join("")
}

function statusSvg({ glyph, tone }: Badge, words: string, y: number): string {
  const half = (lengthOf(words) * 12 * sansAdvance) / 2
  return `<path class="icon icon-${tone}" transform="translate(${(-half - 5).toFixed(1)} ${y - 4})" d="${badgeIcons[glyph]}"/><text x="9" y="${y}" font-size="12" text-anchor="middle" class="${tone} strong">${xmlText(words)}</text>`
}

/** The system stands back, the name is what people look for. */
function nameSpans(name: string, kind: Card["kind"]): string {
  const colon = name.indexOf(":") + 1
  if (kind === "device" || colon === 0) return `<tspan class="ink">${xmlText(name)}</tspan>`
  return `<tspan class="soft">${xmlText(name.slice(0, colon))}</tspan><tspan class="ink strong">${xmlText(name.slice(colon))}</tspan>`
}

function iconSvg({ kind, badge }: Card, { x, r }: { readonly x: number; readonly r: number }): string {
  const path = kind === "device" && badge.glyph === "✓" ? deviceIcon : badgeIcons[badge.glyph]
  return `<g transform="translate(${x})"><circle class="tint-${badge.tone}" r="${r}"/><path class="icon icon-${badge.tone}" d="${path}"/></g>`
}

/** On the upper edge. */
function askedTag(width: number, top: number): string {
  return `<g transform="translate(${width - 62} ${top - 8})"><rect class="tag" width="50" height="16" rx="8"/><text x="25" y="11.8" font-size="11" text-anchor="middle" class="on-tag strong">asked</text></g>`
}

function allWords({ words, moreWords }: Card): string {
  return joined([words, moreWords === "" ? undefined : moreWords], " · ")
}

function joined(parts: readonly (string | undefined)[], by: string): string {
  return parts.filter((part) => part !== undefined).join(by)
}

function lengthOf(text: string): number {
  return [...text].length
}
