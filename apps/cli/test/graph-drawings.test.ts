/** The tree, the table, DOT, SVG and the page: the same facts in each, and no text of a stranger that any of them obeys. */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import { graphDot } from "../src/graph/graph-dot.ts"
import { graphHtml } from "../src/graph/graph-html.ts"
import { graphJson } from "../src/graph/graph-json.ts"
import { buildGraph, type IdentityGraph } from "../src/graph/graph-model.ts"
import { dark, light, type Palette } from "../src/graph/graph-style.ts"
import { graphSvg } from "../src/graph/graph-svg.ts"
import { graphTable } from "../src/graph/graph-table.ts"
import { graphTree, type Look } from "../src/graph/graph-tree.ts"
import { breakCells, cellsOf, cutCells } from "../src/graph/text-cells.ts"
import { cutMiddle, xmlText } from "../src/graph/xml-text.ts"
import { answerFor, chainWith, graphOf, placeOf } from "./support/graphs.ts"
import { now } from "./support/people.ts"
import { elementsOf, parseXml } from "./support/xml.ts"

const wide: Look = { color: false, width: 80, isPlain: false }
const owner = "ed25519:8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"

async function smallGraph(): Promise<IdentityGraph> {
  const subjects = ["dns:mira.dev", "github:mira", "ap:mira@social.example"]
  const replay = await chainWith(subjects, 3)
  const answers = [
    answerFor("dns:mira.dev", { evidence: [placeOf("dns:_kez.mira.dev?type=TXT")] }),
    answerFor("github:mira", { status: "unreachable", reason: "net.timeout", primary: undefined }, now - 86_400),
    answerFor("ap:mira@social.example", {
      status: "invalid",
      reason: "proof.not_found",
      primary: undefined,
      evidence: [placeOf("https://social.example/@mira", { httpStatus: 200, note: "the profile has 2 fields" })],
    }),
  ]
  return buildGraph({ asked: { kind: "account", identity: "dns:mira.dev" }, replay, answers, now })
}

test("graphTree() draws the identity, its accounts and its devices", async () => {
  const tree = graphTree(await smallGraph(), { ...wide, width: 90 })
  assert.equal(
    tree.replace(/sha256:[0-9a-f]{64}/, "sha256:…").replace(/(?<=ed25519:)([0-9a-f]{4})[0-9a-f]{60}/g, "$1"),
    [
      "✓ identity  one history",
      "│ ed25519:8a88",
      "│ chain sha256:…",
      "│ 6 events, end not signed",
      "├─ accounts  1 of 3 proven",
      "│  ├─ ✓ dns:mira.dev            proven, asked",
      "│  ├─ ◌ github:mira             can't reach",
      "│  │    The place did not answer in time. [net.timeout]",
      "│  │    last proven 2025-12-31 00:00:00 UTC",
      "│  └─ ✕ ap:mira@social.example  not found",
      "│       There is no proof at this place. [proof.not_found]",
      "│       https://social.example/@mira  HTTP 200, 2026-01-01 00:00:00 UTC, the profile has 2",
      "│       fields",
      "└─ devices  3",
      "   ├─ ✓ active, added by the primary key",
      "   │  ed25519:43a7",
      "   └─ ✓ active, added by the primary key",
      "      │ ed25519:66be",
      "      └─ ✓ active, added by ed25519:66be7e33…473a",
      "         ed25519:0b51",
    ].join("\n"),
  )
})

test("graphTable() says the same in columns, and in blocks where they have no room", async () => {
  const graph = await smallGraph()
  assert.deepEqual(graphTable(graph, wide).split("\n").slice(0, 4), [
    "ACCOUNT                 STATUS         LISTED  EXPIRES  LAST PROVEN",
    "dns:mira.dev            ✓ proven       yes     never    now",
    "github:mira             ◌ can't reach  yes              2025-12-31",
    "ap:mira@social.example  ✕ not found    yes",
  ])
  const blocks = graphTable(graph, { ...wide, width: 36 })
  assert.match(blocks, /^github:mira\n {2}status {7}◌ can't reach\n {2}listed {7}yes\n {2}last proven {2}2025-12-31$/m)
  assert.match(graphTable(graph, { ...wide, width: 200 }), /LOOKED AT .*SEEN .*WHY/)
})

test("graphTree() and graphTable() keep to the width of the terminal", async () => {
  const long = `dns:${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.example`
  const graphs = [
    await smallGraph(),
    await graphOf(30, 9),
    hostileGraph(),
    buildGraph({ asked: { kind: "account", identity: long }, replay: undefined, answers: [answerFor(long)], now }),
  ]
  for (const graph of graphs) {
    for (const width of [32, 40, 80, 120]) {
      const look = { ...wide, width }
      for (const line of `${graphTree(graph, look)}\n${graphTable(graph, look)}`.split("\n")) {
        assert.ok(cellsOf(line) <= width, `${cellsOf(line)} > ${width}: ${line}`)
      }
    }
  }
})

test("graphTree() and graphTable() mean nothing by colour alone", async () => {
  const graph = await graphOf(30, 3)
  const coloured = { ...wide, color: true }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what it takes away
  const bare = (text: string) => text.replaceAll(/\u001b\[[0-9;]*m/g, "")
  assert.equal(bare(graphTree(graph, coloured)), graphTree(graph, wide))
  assert.equal(bare(graphTable(graph, coloured)), graphTable(graph, wide))
})

test("graphTree() and graphTable() with isPlain are words in ASCII", async () => {
  const look = { ...wide, isPlain: true }
  const graph = await graphOf(30, 3)
  const text = `${graphTree(graph, look)}\n${graphTable(graph, look)}`
  assert.match(text, /^[\n -~]+$/)
  assert.match(text, new RegExp(`^identity: ${owner}, one history$`, "m"))
  assert.match(text, /^ {2}- dns:site-0\.example\.org: proven, asked$/m)
})

/** What a stranger might put into a name or a note. */
const hostile = [
  `web:"><script>alert(1)</script>`,
  "web:'onload=alert(1) x='",
  "web:]]><!--<![CDATA[",
  "web:&amp;&lt;&#x3c;&nbsp;",
  'web:\\N\\" , shape=none];',
  "web:a\u001b[2J\u0007\u009b31m",
  "web:\u202eevil\u2066\u200b\ufeff",
  "web:\ufffe\uffff\ud800",
  `web:${"x".repeat(252)}`,
  "web:line\nbreak\r\t",
  "web:</text></svg></style></title>",
  "web:\u{1f600}\u{e0041}שלום",
]

function hostileGraph(): IdentityGraph {
  const answers = hostile.map((text) =>
    answerFor(text, {
      status: "invalid",
      reason: "proof.not_found",
      evidence: [placeOf(`javascript:${text}`, { note: text, httpStatus: 200 })],
      claim: { digest: "sha256:00", primary: text, createdAt: text, expiresAt: text },
    }),
  )
  return buildGraph({ asked: { kind: "account", identity: hostile[0] ?? "" }, replay: undefined, answers, now })
}

/** All that a terminal or a renderer of text would obey or hide, but for line breaks. */
const obeyed = /[^\n\P{Cc}]|[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]|\p{Cs}/u

test("every drawing makes control characters and marks of direction visible", () => {
  const graph = hostileGraph()
  for (const draw of [
    graphSvg,
    graphHtml,
    graphDot,
    (one: IdentityGraph) => graphTree(one, wide),
    (one: IdentityGraph) => graphTable(one, { ...wide, width: 400 }),
  ]) {
    const text = draw(graph)
    assert.equal(obeyed.exec(text)?.[0], undefined)
    assert.match(text, /\\u\{1b\}/)
    assert.doesNotMatch(text, /^(?:break|false)/m)
  }
})

test("graphSvg() is well-formed XML in which names are text: no script, no handler, nothing from elsewhere", async () => {
  for (const graph of [hostileGraph(), await smallGraph(), await graphOf(40, 8)]) {
    const svg = graphSvg(graph)
    const elements = [...elementsOf(parseXml(svg))]
    const known = new Set(["svg", "title", "desc", "style", "rect", "g", "path", "text", "tspan", "circle"])
    assert.deepEqual(
      elements.map(({ name }) => name).filter((name) => !known.has(name)),
      [],
    )
    const names = new Set(elements.flatMap(({ attributes }) => [...attributes.keys()]))
    for (const name of names) assert.doesNotMatch(name, /^on|href|^style$|^src$/)
    assert.doesNotMatch(
      svg.replace('xmlns="http://www.w3.org/2000/svg"', ""),
      /url\(|@import|https?:\/\/(?!place|social)/,
    )
  }
  const titles = [...elementsOf(parseXml(graphSvg(hostileGraph())))].filter(({ name }) => name === "title")
  assert.ok(titles.some(({ text }) => text.startsWith(`web:"><script>alert(1)</script>: not found`)))
})

test("graphSvg() can be read by ear: a name, a description with every account, and a title on every box", async () => {
  const root = parseXml(graphSvg(await smallGraph()))
  const [title, desc] = root.children
  assert.equal(root.attributes.get("role"), "img")
  assert.equal(root.attributes.get("aria-labelledby"), `${title?.attributes.get("id")} ${desc?.attributes.get("id")}`)
  assert.equal(title?.text, "Identity graph of dns:mira.dev")
  assert.match(
    desc?.text ?? "",
    /accounts: 1 of 3 proven .* github:mira: can't reach\..* Device ed25519:43a72e71…fd3c: active, added by the primary key\./,
  )
  assert.equal([...elementsOf(root)].filter(({ name }) => name === "title").length, 1 + 1 + 3 + 3)
})

test("graphSvg() and graphHtml() have a glyph and a word for every state", async () => {
  const graph = await graphOf(40, 4)
  for (const text of [graphSvg(graph), graphHtml(graph)]) {
    for (const word of ["proven", "can&#39;t reach", "not found", "expired", "can&#39;t be looked at"])
      assert.ok(text.includes(`>${word}`) || text.includes(`> ${word}`), word)
  }
})

test("graphHtml() allows its one style by digest and nothing else", async () => {
  for (const graph of [hostileGraph(), await smallGraph(), await graphOf(200, 8)]) {
    const html = graphHtml(graph)
    const styles = [...html.matchAll(/<style>([^<]*)<\/style>/g)]
    assert.equal(styles.length, 1)
    const digest = createHash("sha256")
      .update(styles[0]?.[1] ?? "")
      .digest("base64")
    assert.ok(
      html.includes(`content="default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'"`),
    )
    assert.doesNotMatch(html, /<script|<iframe|<img|<link|<object|<base|\sstyle=|\son[a-z]+=(?!alert)|@import|url\(/)
    for (const [, href = ""] of html.matchAll(/href="([^"]*)"/g)) assert.match(href, /^https:\/\//)
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    assert.equal(new Set(ids).size, ids.length)
  }
})

test("graphHtml() is nested rightly, and its tables have captions, scopes and every account", async () => {
  const graph = await smallGraph()
  const html = graphHtml(graph)
  const body = html.slice(html.indexOf("<body>"), html.indexOf("</html>")).replace(/<input type="checkbox">/, "")
  const elements = [...elementsOf(parseXml(body))]
  const named = (name: string) => elements.filter((element) => element.name === name)
  assert.deepEqual(
    [named("h1").length, named("h2").length, named("table").length, named("caption").length],
    [1, 2, 2, 2],
  )
  assert.ok(named("th").every(({ attributes }) => ["row", "col"].includes(attributes.get("scope") ?? "")))
  const rows = named("th").filter(({ attributes }) => attributes.get("scope") === "row")
  assert.equal(rows.length, graph.accounts.length + graph.devices.length)
  assert.match(html, /<html lang="en">/)
})

test("graphDot() quotes every text, so that Graphviz reads no escape, entity or attribute of a stranger's", async () => {
  const dot = graphDot(hostileGraph())
  for (const line of dot.split("\n").filter((one) => one.includes("label="))) {
    const rest = line.replaceAll(/"(?:[^"\\]|\\["\\n])*"/g, "")
    assert.doesNotMatch(rest, /["\\<>&]/, line)
  }
  assert.doesNotMatch(dot, /&(?!amp;)/)
  const small = graphDot(await smallGraph())
  assert.match(small, /a1 \[label="github:mira\\n◌ can't reach"/)
  assert.match(small, /d1 -- d2 /)
})

test("graphJson() has every member, null where nothing is known", async () => {
  const data = graphJson(await smallGraph())
  assert.equal(JSON.stringify(data).includes("undefined"), false)
  assert.deepEqual(Object.keys(data.accounts[0] ?? {}), [
    "subject",
    "asked",
    "status",
    "reason",
    "flags",
    "proven",
    "badge",
    "listed",
    "account_id",
    "expires_at",
    "evidence",
    "last_proven",
    "retry_after_seconds",
  ])
  assert.deepEqual(
    data.accounts.map(({ proven, last_proven }) => [proven, last_proven]),
    [
      [true, null],
      [false, "2025-12-31T00:00:00Z"],
      [false, null],
    ],
  )
  assert.deepEqual(data.devices[2]?.added_by, data.devices[1]?.key)
})

test("the colours have a contrast of 4.5 or more on every ground that text stands on, and 3 for icons", () => {
  for (const palette of [light, dark]) {
    const { paper, card, accentTint, accent, ink, soft, tones, tints } = palette
    for (const ground of [paper, card, accentTint]) {
      for (const text of [ink, soft, accent, ...Object.values(tones)])
        assert.ok(contrast(text, ground) >= 4.5, `${text} on ${ground}: ${contrast(text, ground)}`)
    }
    assert.ok(contrast(paper, accent) >= 4.5)
    for (const tone of Object.keys(tones) as (keyof Palette["tones"])[])
      assert.ok(contrast(tones[tone], tints[tone]) >= 3, tone)
  }
})

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(a: string, b: string): number {
  const [one = 0, two = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
  return (one + 0.05) / (two + 0.05)
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

test("breakCells() breaks at spaces, within long words, and counts wide glyphs", () => {
  assert.deepEqual(breakCells("one two three", 8), ["one two", "three"])
  assert.deepEqual(breakCells("abcdefghijkl", 8), ["abcdef", "ghijkl"])
  assert.deepEqual(breakCells("a  b", 20), ["a  b"])
  assert.equal(cellsOf("⌛ expired"), 10)
  assert.equal(cutCells("abcdef", 4), "abc…")
})

test("xmlText() and cutMiddle() keep texts inert and short", () => {
  assert.equal(xmlText(`<a b="c" d='e'>&`), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;")
  assert.equal(xmlText("\u0000\ufffe\ud800"), "\\u{0}\\u{fffe}\\u{d800}")
  assert.equal(cutMiddle("mira@social.example", 10), "mira@s…ple")
  assert.equal(cutMiddle("short", 10), "short")
})

test("parseXml() refuses what is not well-formed", () => {
  for (const text of [
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<a>&x;</a>",
    "<a>&</a>",
    "<a b=c/>",
    `<a b="1" b="2"/>`,
    "<a><!-- x --></a>",
    "<a>\u0007</a>",
    "x<a/>",
    "<a>]]></a>",
    "<a",
  ]) {
    assert.throws(() => parseXml(text), text)
  }
})
