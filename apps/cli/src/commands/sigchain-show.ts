/** `kez sigchain show`: every event of a chain, its devices and subjects, and whether its history is one. */
import { type ChainReplay, commitmentTo } from "@kez/core"
import { devicesJson, eventJson, splitsJson, subjectsJson } from "../chain-json.ts"
import { chainStatus, devicesText, eventSubject, splitsText, subjectsText } from "../chain-text.ts"
import { withChain } from "../find-chain.ts"
import { liveUntilOf } from "../live-until.ts"
import { losingEvents } from "../own-chain.ts"
import type { Handler } from "../run.ts"
import { columns, shortDigest, shortKey } from "../short-text.ts"
import { ownEvents } from "../store/chains.ts"
import type { Store } from "../store/database.ts"

export const run: Handler<object> = async (context, { args: [id] }) =>
  withChain(context, id, (store, chain) => {
    const liveUntil = liveUntilOf(store, chain, context.now())
    return {
      schema: "kez.chain/1",
      data: chainJson(store, chain, liveUntil),
      text: chainText(store, chain, liveUntil),
      ...(chain.status === "fork" ? { next: "kez sigchain settle" } : {}),
    }
  })

function chainJson(store: Store, chain: ChainReplay, liveUntil: string | undefined) {
  const { state } = chain
  return {
    chain: chain.chain,
    status: chain.status,
    contested: chain.contested,
    head: { ...chain.head, expires_at: liveUntil ?? null },
    primary: state.primary,
    primaries: state.primaries,
    next: state.next ?? null,
    devices: devicesJson(chain),
    subjects: subjectsJson(chain),
    events: chain.path.map(eventJson),
    losing: losingEvents(store, chain).map(eventJson),
    splits: splitsJson(chain, ownEvents(store, chain.chain)),
  }
}

function chainText(store: Store, chain: ChainReplay, liveUntil: string | undefined): string {
  const { state, head, path } = chain
  const facts = [
    ["chain", chain.chain],
    ["primary", state.primary],
    ["status", chainStatus(chain)],
    [
      "head",
      `event ${head.seq}, ${shortDigest(head.digest)}, ${liveUntil === undefined ? "no signed head in force" : `signed until ${liveUntil}`}`,
    ],
    ["next key", nextText(chain)],
  ]
  const events = path.map((event) => [
    String(event.payload.seq),
    event.payload.op,
    eventSubject(event),
    shortKey(event.signature.key),
    event.payload.created_at,
  ])
  return [
    columns(facts),
    "",
    columns([["SEQ", "OP", "SUBJECT", "SIGNER", "TIME"], ...events]),
    "",
    subjectsText(chain),
    devicesText(chain),
    ...(chain.splits.length === 0 ? [] : [splitsText(chain, ownEvents(store, chain.chain))]),
  ].join("\n")
}

function nextText({ state: { next }, path }: ChainReplay): string {
  if (next === undefined) return "any, signed in by the primary"
  const only = `only the one committed to (${shortDigest(next)})`
  // Which key it is shows only where an event names it.
  const revoking = path.find(
    ({ payload }) => payload.op === "revoke_device" && payload.payload.keys.some((key) => commitmentTo(key) === next),
  )
  if (revoking === undefined) return only
  return `${only}, which event ${revoking.payload.seq} revoked: kez sigchain rotate goes back to before that`
}
