/** Markdown: a document for people with one fence for verifiers. SPEC §4.3. */
import type { Claim } from "../envelope/envelope.ts"
import { maxHintBytes } from "../limits.ts"
import { trimSpace } from "../text.ts"

/** A piece of text that may be a proof, or the code of why it cannot be. */
export type Piece =
  | { readonly text: string; readonly isZoneLine?: true }
  | { readonly fault: "proof.cut"; readonly text: string }

interface Fence {
  readonly mark: string
  readonly length: number
  readonly ours: boolean
}

// Anchored, and each class ends where the next begins: linear on any input.
const fenceOpening = /^ {0,3}(`{3,}|~{3,})(.*)$/s
const fenceClosing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/
const hintLine = /^Chain: (https:\/\/[!-~]+)$/
const tokenStart = /(?:^|[ \t\r([<"'`])(kez:(?:z1|r1):)/g
const compactEnd = /[^A-Za-z0-9_-]/g
const referenceEnd = /[^A-Za-z0-9_@.-]/g

export interface Found {
  readonly pieces: readonly Piece[]
  /** What follows `Chain: ` on lines outside fences. */
  readonly hints: readonly string[]
}

/** Fences tagged `kez`, tokens in running text and hints of a document, in order of appearance; at most `maxPieces + 1` pieces. */
export function searchMarkdown(document: string, maxPieces: number): Found {
  const pieces: Piece[] = []
  const hints: string[] = []
  let fence: Fence | undefined
  let content: string[] = []
  for (const line of lines(document)) {
    if (pieces.length > maxPieces) break
    if (fence !== undefined) {
      if (!closes(line, fence)) {
        if (fence.ours) content.push(line)
        continue
      }
      if (fence.ours) pieces.push({ text: trimSpace(content.join("\n")) })
      fence = undefined
      continue
    }
    fence = openedBy(line)
    content = []
    if (fence !== undefined) continue
    pieces.push(...tokens(line, maxPieces + 1 - pieces.length))
    const hint = hintOf(line)
    if (hint !== undefined) hints.push(hint)
  }
  if (fence?.ours === true) pieces.push({ fault: "proof.cut", text: trimSpace(content.join("\n")) })
  return { pieces, hints }
}

/** The URL of a line, or of a TXT record, that says where the chain may lie. [FIND-4] */
export function hintOf(line: string): string | undefined {
  const url = line.length <= maxHintBytes + "Chain: ".length ? hintLine.exec(line)?.[1] : undefined
  return url !== undefined && url.length <= maxHintBytes ? url : undefined
}

/** The document that `kez claim create` writes. [MD-5] */
export function encodeMarkdown(claim: Claim, chainHint?: string): string {
  const { subject, primary, created_at, expires_at } = claim.payload
  const header = [
    `# KEZ claim: ${subject}`,
    "",
    `The holder of the key below says: this account is mine. Check it with \`kez verify id ${subject}\`.`,
    "",
    `Subject: ${subject}`,
    `Primary: ${primary}`,
    `Created: ${created_at}`,
    ...(expires_at === undefined ? [] : [`Expires: ${expires_at}`]),
    ...(chainHint === undefined ? [] : [`Chain: ${chainHint}`]),
  ]
  return `${header.join("\n")}\n\n\`\`\`kez\n${JSON.stringify(claim, null, 2)}\n\`\`\`\n`
}

function* lines(document: string): Generator<string> {
  let start = 0
  while (start <= document.length) {
    const feed = document.indexOf("\n", start)
    const end = feed === -1 ? document.length : feed
    yield document.slice(start, end > start && document.charCodeAt(end - 1) === 0x0d && feed !== -1 ? end - 1 : end)
    start = end + 1
  }
}

function openedBy(line: string): Fence | undefined {
  const match = fenceOpening.exec(line)
  const [, run = "", info = ""] = match ?? []
  if (match === null || (run.startsWith("`") && info.includes("`"))) return undefined
  return { mark: run.charAt(0), length: run.length, ours: trimSpace(info).split(/[ \t\r]/, 1)[0] === "kez" }
}

function closes(line: string, fence: Fence): boolean {
  const run = fenceClosing.exec(line)?.[1] ?? ""
  return run.startsWith(fence.mark) && run.length >= fence.length
}

/** Compact and reference texts in a line of running text. [MD-4] */
function tokens(line: string, max: number): Piece[] {
  const found: Piece[] = []
  for (const match of line.matchAll(tokenStart)) {
    if (found.length === max) break
    const prefix = match[1] ?? ""
    const start = match.index + match[0].length - prefix.length
    const end = prefix === "kez:z1:" ? compactEnd : referenceEnd
    end.lastIndex = start + prefix.length
    const text = line.slice(start, end.exec(line)?.index ?? line.length)
    found.push({ text: prefix === "kez:z1:" ? text : withoutTrailingDots(text) })
  }
  return found
}

function withoutTrailingDots(text: string): string {
  let end = text.length
  while (text.charCodeAt(end - 1) === 0x2e) end--
  return text.slice(0, end)
}
