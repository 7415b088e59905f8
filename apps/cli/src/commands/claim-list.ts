/** `kez claim list`: the claims made on this computer, and what has become of them. */
import type { ChainReplay } from "@kez/core"
import type { Handler } from "../run.ts"
import { columns, shortDigest, shortKey } from "../short-text.ts"
import { readStore } from "../store/access.ts"
import type { OwnClaim } from "../store/claims.ts"
import type { Store } from "../store/database.ts"

type State = "valid" | "expired" | "revoked" | "replaced"

interface Row {
  readonly own: OwnClaim
  readonly state: State
  readonly listed: boolean
}

export const run: Handler<object> = async (context) => {
  const rows = await readStore<readonly Row[]>(context, [], (store) => readRows(store, context.now()))
  return {
    schema: "kez.claims/1",
    data: { claims: rows.map(rowJson) },
    text: rows.length === 0 ? "No claims were made here yet." : columns([header, ...rows.map(rowText)]),
    ...(rows.length === 0 ? { next: "kez claim dns example.org" } : {}),
  }
}

const header = ["SUBJECT", "STATE", "IN CHAIN", "CREATED", "EXPIRES", "BY", "DIGEST"]

async function readRows(store: Store, now: number): Promise<readonly Row[]> {
  const [{ loadClaims }, { chainsOfKey, loadChain }] = await Promise.all([
    import("../store/claims.ts"),
    import("../store/chains.ts"),
  ])
  const chains = new Map<string, ChainReplay | undefined>()
  return loadClaims(store).map((own) => {
    const { primary } = own.claim.payload
    if (!chains.has(primary)) {
      const [chain] = chainsOfKey(store, primary, "primary")
      chains.set(primary, chain === undefined ? undefined : loadChain(store, chain))
    }
    return rowOf(own, chains.get(primary), now)
  })
}

function rowOf(own: OwnClaim, chain: ChainReplay | undefined, now: number): Row {
  const entry = chain?.state.subjects.get(own.claim.payload.subject)
  const isExpired = own.expiresAt !== undefined && own.expiresAt <= now
  const isReplaced = entry?.everRevoked === true && entry.proof !== undefined && entry.proof !== own.digest
  const isRevoked = entry?.status === "revoked"
  return {
    own,
    state: isRevoked ? "revoked" : isReplaced ? "replaced" : isExpired ? "expired" : "valid",
    listed: entry?.status === "active" && entry.proof === own.digest,
  }
}

function rowJson({ own: { claim, digest }, state, listed }: Row) {
  const { subject, primary, created_at, expires_at } = claim.payload
  return { subject, primary, digest, created_at, expires_at: expires_at ?? null, state, listed }
}

function rowText({ own: { claim, digest }, state, listed }: Row): readonly string[] {
  const { subject, primary, created_at, expires_at } = claim.payload
  const isListed = listed ? "yes" : "no"
  return [subject, state, isListed, created_at, expires_at ?? "never", shortKey(primary), shortDigest(digest)]
}
