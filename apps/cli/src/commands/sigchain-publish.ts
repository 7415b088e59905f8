/** `kez sigchain publish`: your chain goes where readers look for it: stores, a web site, a zone, nostr relays. SPEC §6, §8 */
import { KezError } from "@kez/core"
import { chainStatus } from "../chain-text.ts"
import { type ChainPlaceReport, storeReport, webReport } from "../chains/place-report.ts"
import { readWebFolder, type WebFolder } from "../chains/publish-web.ts"
import { syncChain } from "../chains/sync-chain.ts"
import type { Context } from "../context.ts"
import { exitCodes } from "../exit-codes.ts"
import { currentIdentity } from "../keys/signers.ts"
import { existingChainOfKey } from "../own-chain.ts"
import type { Handler, Outcome } from "../run.ts"
import { count, shortDigest } from "../short-text.ts"
import { withStore } from "../store/access.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

export interface PublishChainOptions extends Pick<VerifyOptions, "store" | "resolver" | "timeout"> {
  readonly to?: readonly string[]
  /** The folder that a web server serves. */
  readonly web?: string
  /** Where the chain lies, for the lines of a zone. */
  readonly url?: string
  readonly credentialFile?: string
}

export const targets = ["sig", "web", "dns", "nostr"] as const
type Target = (typeof targets)[number]

export const run: Handler<PublishChainOptions> = async (context, { args: _, ...options }) => {
  const demands = await readDemands(context, options)
  const wanted = readTargets(options, demands.stores)
  const { key } = await currentIdentity(context)
  const before = await withStore(context, (store) => existingChainOfKey(store, key))
  const web = wanted.has("web") ? readWebFolder(options.web) : undefined
  const author = wanted.has("nostr")
    ? await (await import("../chains/publish-nostr.ts")).authorFor(context, before, options)
    : undefined
  const net = await demands.net()
  const { timeoutMs } = demands
  const synced = await syncChain(context, net, {
    key,
    timeoutMs,
    stores: wanted.has("sig") ? demands.stores : [],
    also: author === undefined ? [] : [{ url: author.key }],
    documents: web?.found ?? [],
  })
  const places = [
    ...synced.outcomes.map((outcome) => storeReport(outcome, synced.head)),
    ...(web === undefined ? [] : [publishWeb(web, synced.path)]),
    ...(author === undefined
      ? []
      : await (await import("../chains/publish-nostr.ts")).giveToNostr(author, synced.path, { net, timeoutMs })),
  ]
  const zone = wanted.has("dns")
    ? (await import("../chains/publish-zone.ts")).zoneLines(synced.replay, { url: options.url, stores: demands.stores })
    : []
  return describe(context, { ...synced, places, zone })
}

/** What was named, and what an option can only be meant for; stores where nothing was. */
function readTargets(options: PublishChainOptions, stores: readonly string[]): ReadonlySet<Target> {
  const { to = [], store = [], web, url } = options
  const named = targets.filter((target) => to.includes(target))
  const meant: readonly Target[] = [
    ...named,
    ...(store.length > 0 ? (["sig"] as const) : []),
    ...(web === undefined ? [] : (["web"] as const)),
  ]
  const wanted = new Set<Target>(meant.length === 0 && stores.length > 0 ? ["sig"] : meant)
  if (wanted.size === 0 || (wanted.has("sig") && stores.length === 0)) throw nowhere()
  if (wanted.has("web") && web === undefined) {
    throw new KezError("usage", "Cannot publish on the web: expected --web DIR, the folder that your web server serves")
  }
  if (url !== undefined && !wanted.has("dns")) throw new KezError("usage", "Cannot use --url without --to dns")
  return wanted
}

function publishWeb(folder: WebFolder, path: Parameters<WebFolder["write"]>[0]): ChainPlaceReport {
  return webReport(folder.file, folder.write(path))
}

export interface Published {
  readonly replay: Awaited<ReturnType<typeof syncChain>>["replay"]
  readonly head: Awaited<ReturnType<typeof syncChain>>["head"]
  readonly brought: number
  readonly places: readonly ChainPlaceReport[]
  /** Lines for zones. */
  readonly zone: readonly string[]
}

/** One line a place; it has failed where no place has the whole chain. */
export function describe(context: Context, published: Published): Outcome {
  const { replay, head, brought, places, zone } = published
  const done = places.filter(({ state }) => state === "whole").length
  const isFailed = places.length > 0 && done === 0
  const isNetwork = places.every(({ code }) => code === null || code.startsWith("net."))
  const tip = `chain ${replay.chain}, event ${replay.head.seq}, ${shortDigest(replay.head.digest)}`
  return {
    schema: "kez.chain_publish/1",
    data: {
      chain: replay.chain,
      status: replay.status,
      contested: replay.contested,
      head: { ...replay.head, expires_at: head?.payload.expires_at ?? null },
      brought,
      places: places.map(({ text: _, ...place }) => place),
      zone,
    },
    text: [
      ...(brought > 0 ? [`${count(brought, "event")} found elsewhere, and now here too`] : []),
      ...places.map(({ text }) => text),
      ...zone,
      ...(zone.length > 0 && places.length === 0 ? [] : [`  ${tip}`]),
    ].join("\n"),
    exitCode: isFailed ? (isNetwork ? exitCodes.unreachable : exitCodes.failure) : exitCodes.ok,
    warnings: warningsFor(context, published),
  }
}

function warningsFor({ flags }: Context, { replay, head, places }: Published): readonly string[] {
  const stores = places.filter(({ to }) => to === "sig")
  const isHeadless = stores.length > 0 && head === undefined && replay.status !== "fork"
  return [
    ...(replay.status === "fork" ? [`${chainStatus(replay)}: kez sigchain settle`] : []),
    ...(isHeadless && !flags.quiet
      ? ["no signed head was given to them: the key is locked (kez identity unlock, then the same command again)"]
      : []),
  ]
}

function nowhere(): KezError {
  return new KezError("usage", "Cannot publish the chain: expected a place", {
    hint: 'A store: --store https://sig.example.org, or stores = ["…"] in config.toml\nOr --web DIR, --to dns, --to nostr',
  })
}
