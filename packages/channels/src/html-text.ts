/**
 * What a person sees of the HTML of a profile or post, as text. SPEC §7.6.
 * Only the text of elements on a list counts: no attribute, comment, script or hidden element can carry a proof.
 */
import { Parser } from "htmlparser2"
import { maxHtmlDepth, maxPreformatted } from "./limits.ts"

export interface HtmlText {
  readonly text: string
  /** The content of each `pre`: software that renders Markdown keeps a fence's content there, without the fence. */
  readonly preformatted: readonly string[]
  /** What stands in elements that do not count, for near misses only. */
  readonly hidden: string
}

/** Elements on lines of their own. */
const blocks = new Set(
  "address article blockquote body center dd div dl dt footer h1 h2 h3 h4 h5 h6 header hr html li main ol p pre section table tbody td tfoot th thead tr ul".split(
    " ",
  ),
)

/** Elements in a line. What is in neither list, such as `script`, `template` or `svg`, hides its content. */
const inlines = new Set(
  "a abbr b bdi bdo big br cite code del dfn em font i img ins kbd mark q rt ruby s samp small span strike strong sub sup time tt u var wbr".split(
    " ",
  ),
)

interface Open {
  readonly isHidden: boolean
  readonly isLink: boolean
  readonly isPre: boolean
}

/**
 * Reads HTML as browsers do, in linear time. It stops at an element nested deeper than `maxHtmlDepth`: nobody writes that,
 * and every closing tag would be looked for through all the open ones.
 */
export function readHtml(html: string): HtmlText {
  const open: Open[] = []
  const text = createLines()
  const hidden = createLines()
  const preformatted: string[] = []
  let isCutOff = false
  let pre: { readonly depth: number; readonly lines: Lines } | undefined

  const parser = new Parser({
    onopentag(name, attributes) {
      const parent = open.at(-1)
      const isLink = name === "a" || parent?.isLink === true
      const isHidden = parent?.isHidden === true || hides(name, attributes, isLink)
      open.push({ isHidden, isLink, isPre: name === "pre" || parent?.isPre === true })
      if (open.length > maxHtmlDepth) {
        isCutOff = true
        parser.pause()
        return
      }
      const lines = isHidden ? hidden : text
      if (name === "br") breakLine()
      else if (blocks.has(name)) lines.endLine()
      if (name === "pre" && !isHidden && pre === undefined && preformatted.length < maxPreformatted) {
        pre = { depth: open.length, lines: createLines() }
      }
    },
    onclosetag(name) {
      const closed = open.pop()
      if (pre !== undefined && open.length < pre.depth) {
        preformatted.push(pre.lines.all())
        pre = undefined
      }
      if (name !== "br" && blocks.has(name)) (closed?.isHidden ? hidden : text).endLine()
    },
    ontext(piece) {
      const { isHidden = false, isPre = false } = open.at(-1) ?? {}
      const lines = isHidden ? hidden : text
      // A line feed in the source is a space, and a hard space is one too.
      const plain = (isPre ? piece : piece.replaceAll("\n", " ")).replaceAll("\u00a0", " ")
      lines.add(plain)
      if (lines === text) pre?.lines.add(plain)
    },
  })

  function breakLine(): void {
    const isHidden = open.at(-1)?.isHidden
    ;(isHidden ? hidden : text).add("\n")
    if (!isHidden) pre?.lines.add("\n")
  }

  parser.write(html.replaceAll("\r\n", "\n"))
  if (!isCutOff) parser.end()
  return { text: text.all(), preformatted, hidden: hidden.all() }
}

/**
 * The texts in which a proof is looked for: the whole, and the content of each `pre` that is JSON,
 * because the fence around it became the element.
 */
export function proofTextsOf({ text, preformatted }: HtmlText): readonly string[] {
  return [text, ...preformatted.filter((content) => content.startsWith("{") && content !== text)]
}

function hides(name: string, attributes: Readonly<Record<string, string>>, isLink: boolean): boolean {
  if (!blocks.has(name) && !inlines.has(name)) return true
  // Profiles have no need of styles, and there are too many ways to hide text with them.
  if (Object.hasOwn(attributes, "hidden") || Object.hasOwn(attributes, "style")) return true
  const classes = (attributes["class"] ?? "").split(/[ \t\n\f\r]+/)
  // Mastodon shows a long link without its beginning and end, which stand in elements of this class.
  return classes.includes("invisible") && !isLink
}

interface Lines {
  add(piece: string): void
  /** Begins a new line unless one has just begun. */
  endLine(): void
  all(): string
}

function createLines(): Lines {
  const pieces: string[] = []
  let last = "\n"
  const add = (piece: string) => {
    if (piece === "") return
    pieces.push(piece)
    last = piece.slice(-1)
  }
  return {
    add,
    endLine: () => (last === "\n" ? undefined : add("\n")),
    all: () => pieces.join("").trim(),
  }
}
