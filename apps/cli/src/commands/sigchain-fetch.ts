/** `kez sigchain fetch`: somebody's chain, from the stores and places where it may lie. What is valid is kept, forks included. */
import { KezError } from "@kez/core"
import { chainStatus } from "../chain-text.ts"
import { type ChainTarget, placesOf, readTarget } from "../chains/chain-target.ts"
import { type Pulled, type PullPlace, pullChains } from "../chains/pull-chain.ts"
import { chainUrl } from "../chains/store-url.ts"
import { printable } from "../output.ts"
import type { Handler, Outcome } from "../run.ts"
import { count } from "../short-text.ts"
import { withStore } from "../store/access.ts"
import { loadChain } from "../store/chains.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

export interface FetchOptions extends Pick<VerifyOptions, "store" | "resolver" | "timeout"> {
  /** URLs of stores or chain documents to ask instead of the usual ones. */
  readonly from?: readonly string[]
}

export const run: Handler<FetchOptions> = async (context, { args: [typed], from = [], ...options }) => {
  const demands = await readDemands(context, options)
  const target = await readTarget(context, typed)
  const places =
    from.length === 0 ? await placesOf(context, target, demands.stores) : from.map((url) => placeAt(url, target))
  if (places.length === 0) throw nowhere(target)
  const { chain, key } = target
  const pulled = await pullChains(context, await demands.net(), {
    places,
    ...(chain === undefined ? {} : { chain }),
    ...(key === undefined ? {} : { key }),
    timeoutMs: demands.timeoutMs,
  })
  if (pulled.chains.length === 0) throw notFound(target, pulled.places)
  const chains = await withStore(context, (store) => pulled.chains.flatMap((id) => loadChain(store, id) ?? []))
  const [first] = chains
  if (first === undefined) throw notFound(target, pulled.places)
  return {
    schema: "kez.fetch/1",
    data: {
      added: pulled.added,
      chains: chains.map((replay) => ({
        chain: replay.chain,
        status: replay.status,
        contested: replay.contested,
        primary: replay.state.primary,
        head: replay.head,
      })),
      places: pulled.places.map(placeJson),
    },
    text: [
      `${count(pulled.added, "new event")}`,
      ...chains.map((replay) => `  chain ${replay.chain}: ${chainStatus(replay)}, event ${replay.head.seq}`),
      ...pulled.places.map(placeLine),
    ].join("\n"),
    warnings: warningsFor(chains),
    next: `kez sigchain show ${first.chain}`,
  } satisfies Outcome
}

/** The base URL of a store, or the URL of a document. */
function placeAt(url: string, { chain, key, name }: ChainTarget): PullPlace {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new KezError("usage", `Cannot fetch from ${url}: expected an https:// URL of a store or of a chain document`)
  }
  const { pathname, origin } = new URL(url)
  if (pathname !== "/") return { url, isChosen: true }
  const id = chain ?? key
  if (id === undefined) throw new KezError("usage", `Cannot ask a store for ${name}: expected a chain id or a key`)
  return { url: chainUrl(origin, id), isChosen: true }
}

function warningsFor(chains: ReadonlyArray<{ readonly status: string }>): readonly string[] {
  const several = chains.length > 1 ? ["this key has two chains: somebody else holds it, or it was begun twice"] : []
  const isFork = chains.some(({ status }) => status === "fork")
  return isFork ? [...several, "this identity has two conflicting histories; its owner has to settle them"] : several
}

function placeJson({ asked, events }: Pulled) {
  const { url, outcome, evidence, documents } = asked
  const fault = documents.map(({ reading }) => reading.fault?.code).find((code) => code !== undefined)
  return { place: url, outcome, events, code: evidence.code ?? fault ?? null, note: evidence.note ?? null }
}

function placeLine(pulled: Pulled): string {
  const { place, events, code, note } = placeJson(pulled)
  const said = [...(events > 0 ? [count(events, "event")] : []), ...(note === null ? [] : [printable(note, 200)])]
  return `${events > 0 ? "✓" : "✕"} ${printable(place, 300)}  ${said.join("; ")}${code === null ? "" : ` [${code}]`}`.trimEnd()
}

function notFound({ name }: ChainTarget, places: readonly Pulled[]): KezError {
  const silent = places.filter(({ asked }) => asked.outcome === "failed")
  const lines = places.map(placeLine).join("; ")
  if (silent.length > 0) {
    return new KezError("chain.unreachable", `Cannot fetch the chain of ${name}: ${lines}`)
  }
  return new KezError("chain.unknown", `Cannot fetch the chain of ${name}: no place has it. ${lines}`)
}

function nowhere({ name }: ChainTarget): KezError {
  return new KezError("usage", `Cannot fetch the chain of ${name}: expected a place to ask`, {
    hint: 'A store: --store https://sig.example.org, or stores = ["…"] in config.toml\nOr --from URL',
  })
}
