/** A graph for Graphviz (`dot -Tsvg`, `twopi -Tpdf`). Every text is a quoted string: nothing in it is markup or an escape. */
import { shortKey } from "../short-text.ts"
import type { Tone } from "./graph-badges.ts"
import { adderWords, deviceBadge, historyWords, shortName, shown } from "./graph-facts.ts"
import type { IdentityGraph } from "./graph-model.ts"
import { light } from "./graph-style.ts"

export function graphDot(graph: IdentityGraph): string {
  const { centre, accounts, devices } = graph
  const lines = [
    `graph kez {`,
    `  graph [layout="twopi", root="identity", overlap="false", ranksep="2.4", bgcolor="${light.paper}"]`,
    `  node [shape="box", style="rounded,filled", fillcolor="${light.card}", color="${light.edge}", fontname="sans-serif", fontsize="11"]`,
    `  identity [label=${label(shortName(centre), `${centre.badge.glyph} ${centre.badge.word}`, historyWords(centre).join(", "))}, color="${light.accent}", fillcolor="${light.accentTint}"]`,
    ...accounts.flatMap(({ subject, badge, isProven }, at) => [
      `  a${at} [label=${label(shown(subject), `${badge.glyph} ${badge.word}`)}, fontcolor="${light.tones[badge.tone]}"]`,
      `  identity -- a${at} [${edge(badge.tone, isProven)}]`,
    ]),
    ...devices.flatMap((device, at) => {
      const { glyph, word, tone } = deviceBadge(device)
      const parent = device.parent === undefined ? "identity" : `d${device.parent}`
      return [
        `  d${at} [shape="ellipse", label=${label(shortKey(device.key), `device, ${glyph} ${word}`)}, tooltip=${quoted(adderWords(device, graph))}]`,
        `  ${parent} -- d${at} [${edge(tone, !device.isSuspended)}]`,
      ]
    }),
    "}",
  ]
  return `${lines.join("\n")}\n`
}

function edge(tone: Tone, isSolid: boolean): string {
  return `color="${light.tones[tone]}", style="${isSolid ? "solid" : "dotted"}"`
}

/** Lines of a label. */
function label(...lines: readonly string[]): string {
  return `"${lines.map(escaped).join("\\n")}"`
}

function quoted(text: string): string {
  return `"${escaped(text)}"`
}

/** Graphviz reads backslashes as escapes and & as the start of an HTML entity, in quoted strings too. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("&", "&amp;")
}
