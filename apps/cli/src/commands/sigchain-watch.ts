/** `kez sigchain watch`: changes of a chain as they happen, from every store that has it. It ends with Ctrl-C. SPEC §8 */
import { type ChainReplay, type Digest, envelopeDigest, KezError, type SigchainEvent } from "@kez/core"
import { eventJson } from "../chain-json.ts"
import { chainStatus, eventSubject } from "../chain-text.ts"
import { type ChainTarget, readTarget } from "../chains/chain-target.ts"
import { followStore } from "../chains/follow-store.ts"
import { pullChains } from "../chains/pull-chain.ts"
import { chainUrl } from "../chains/store-url.ts"
import type { Context } from "../context.ts"
import { note, printable, writeResult } from "../output.ts"
import type { Handler } from "../run.ts"
import { shortKey } from "../short-text.ts"
import { readStore } from "../store/access.ts"
import { loadChain, loadEvents } from "../store/chains.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

export type WatchOptions = Pick<VerifyOptions, "store" | "resolver" | "timeout">

/** Never returns but by an error: what it has to say is written as it happens. */
export const run: Handler<WatchOptions> = async (context, { args: [typed], ...options }) => {
  const { stores, net: open, timeoutMs } = await readDemands(context, options)
  const target = await readTarget(context, typed)
  const id = target.chain ?? target.key
  if (id === undefined) throw new KezError("usage", "Cannot watch this: expected a chain id, a key or a name")
  if (stores.length === 0) {
    throw new KezError("usage", "Cannot watch: expected a store", {
      hint: '--store https://sig.example.org, or stores = ["…"] in config.toml',
    })
  }
  const net = await open()
  const tell = createTeller(context, target)
  const { signal } = new AbortController()
  const follow = async (store: string): Promise<never> => {
    const url = chainUrl(store, id)
    return followStore(net, {
      url: `${url}/stream`,
      signal,
      onState: createStateTeller(context, store),
      async onChange() {
        const { chain, key } = target
        const wanted = chain === undefined ? (key === undefined ? {} : { key }) : { chain }
        const pulled = await pullChains(context, net, { places: [{ url, isChosen: true }], ...wanted, timeoutMs })
        await tell(pulled.chains, store)
      },
    })
  }
  return Promise.race(stores.map(follow))
}

/** What a store does is told when it changes, not at every try. */
function createStateTeller({ flags }: Context, store: string) {
  let last: string | undefined
  return (failure: KezError | undefined): void => {
    const state = failure?.message ?? ""
    if (state === last) return
    last = state
    if (!flags.quiet)
      note(
        failure === undefined
          ? `following ${store}`
          : `${printable(failure.message, 300)} [${failure.code}]; trying again until it answers`,
      )
  }
}

/** Tells of chains as they are at first, then of every event that was not known before. One line, or one object, at a time. */
function createTeller(context: Context, target: ChainTarget) {
  const told = new Map<Digest, ReadonlySet<Digest>>()
  let turn: Promise<void> = Promise.resolve()

  async function tell(chain: Digest, store: string): Promise<void> {
    const known = await readStore(context, undefined, (opened) => {
      const replay = loadChain(opened, chain)
      return replay === undefined ? undefined : { replay, events: loadEvents(opened, chain) }
    })
    if (known === undefined) return
    const before = told.get(chain)
    const fresh = known.events.filter((event) => before?.has(envelopeDigest(event)) !== true)
    if (before !== undefined && fresh.length === 0) return
    told.set(chain, new Set(known.events.map(envelopeDigest)))
    const change = { replay: known.replay, events: before === undefined ? [] : fresh, store }
    write(context, target, change)
  }

  return (chains: readonly Digest[], store: string): Promise<void> => {
    turn = turn.then(async () => {
      for (const chain of chains) await tell(chain, store)
    })
    return turn
  }
}

interface Change {
  readonly replay: ChainReplay
  /** Empty at the first look. */
  readonly events: readonly SigchainEvent[]
  readonly store: string
}

function write({ flags, now }: Context, { name }: ChainTarget, { replay, events, store }: Change): void {
  const { chain, status, contested, head, state } = replay
  const text =
    events.length === 0
      ? `${name}: ${chainStatus(replay)}, event ${head.seq}`
      : [
          ...events.map((event) => eventText(event, replay)),
          ...(status === "ok" ? [] : [`  ${chainStatus(replay)}`]),
        ].join("\n")
  writeResult(
    {
      schema: "kez.chain_change/1",
      data: {
        chain,
        store,
        status,
        contested,
        primary: state.primary,
        head,
        events: events.map(eventJson),
        seen_at: now(),
      },
      text,
      warnings: [],
    },
    flags,
  )
}

function eventText(event: SigchainEvent, replay: ChainReplay): string {
  const { payload, signature } = event
  const where = replay.digests[payload.seq] === envelopeDigest(event) ? "" : "  on a losing branch"
  return `${payload.created_at}  event ${payload.seq}  ${payload.op}  ${eventSubject(event)}  by ${shortKey(signature.key)}${where}`
}
