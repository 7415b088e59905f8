/** `kez graph`: a whole identity, from any part of it, as a tree, a table, a picture or a page. */
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { assertFree } from "../documents.ts"
import { gatherGraph } from "../graph/gather-graph.ts"
import type { IdentityGraph } from "../graph/graph-model.ts"
import { deliver } from "../own-claims.ts"
import type { Handler } from "../run.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

interface GraphOptions extends VerifyOptions {
  readonly dot?: boolean
  readonly svg?: boolean
  readonly html?: boolean
  readonly out?: string
  readonly force?: boolean
}

const forms = ["dot", "svg", "html"] as const
type Form = (typeof forms)[number] | "text"

export const run: Handler<GraphOptions> = async (context, { args: [typed], ...options }) => {
  const file = options.out === "-" ? undefined : options.out
  const form = readForm(options, context.flags.json && file === undefined)
  if (file !== undefined) assertFree(file, { force: options.force === true })
  const demands = await readDemands(context, options)
  for (const { source, evidence } of demands.documents) {
    if (source.code !== undefined)
      context.warn(`${source.name} is used as far as it goes: ${evidence.note} [${source.code}]`)
  }
  const { graph, exitCode, next } = await gatherGraph(context, typed, {
    demands,
    offline: options.offline === true,
  })
  const wantsText = !context.flags.json || file !== undefined
  const text = wantsText ? deliver(context, await draw(context, graph, { form, out: file }), options) : ""
  return {
    schema: "kez.graph/1",
    data: context.flags.json ? await json(graph, file) : undefined,
    text,
    exitCode,
    ...(next === undefined ? {} : { next }),
  }
}

/** The form that was named, else the one that the ending of the file names. Throws `usage` for two. */
function readForm(options: GraphOptions, isJsonAlone: boolean): Form {
  const named = forms.filter((form) => options[form] === true)
  const [form, ...others] = named
  if (others.length > 0 || (isJsonAlone && form !== undefined)) {
    throw new KezError("usage", "Cannot draw the graph: expected one of --json, --dot, --svg, --html", {
      hint: "A drawing beside the JSON goes to a file: --json --out graph.svg",
    })
  }
  const ending = /\.([a-z]+)$/.exec(options.out ?? "")?.[1]
  return form ?? forms.find((known) => known === (ending === "gv" ? "dot" : ending)) ?? "text"
}

async function draw(
  { terminal, env }: Context,
  graph: IdentityGraph,
  { form, out }: { readonly form: Form; readonly out: string | undefined },
): Promise<string> {
  switch (form) {
    case "dot":
      return (await import("../graph/graph-dot.ts")).graphDot(graph)
    case "svg":
      return (await import("../graph/graph-svg.ts")).graphSvg(graph)
    case "html":
      return (await import("../graph/graph-html.ts")).graphHtml(graph)
    case "text": {
      const [{ graphTree }, { graphTable }] = await Promise.all([
        import("../graph/graph-tree.ts"),
        import("../graph/graph-table.ts"),
      ])
      const isPlain = terminal.plain || env.term === "dumb"
      const look = { color: terminal.color && out === undefined, width: terminal.width, isPlain }
      return `${graphTree(graph, look)}\n\n${graphTable(graph, look)}`
    }
  }
}

async function json(graph: IdentityGraph, out: string | undefined) {
  const { graphJson } = await import("../graph/graph-json.ts")
  return { ...graphJson(graph), file: out ?? null }
}
