/** `kez claim list`: the claims made on this computer, and what has become of them. */
import { type ChainReplay, type Digest, encodeProof, type ProofForm } from "@kez/core"
import { type ClaimOptions, claimForms, claimText, deliver } from "../own-claims.ts"
import type { Handler } from "../run.ts"
import { columns } from "../short-text.ts"
import { readStore } from "../store/access.ts"
import type { OwnClaim } from "../store/claims.ts"
import type { Store } from "../store/database.ts"

type State = "valid" | "expired" | "revoked" | "replaced"

interface Row {
  readonly own: OwnClaim
  readonly state: State
  readonly listed: boolean
  /** Id of the chain of its key, where one is known. */
  readonly chain: Digest | undefined
}

export const run: Handler<ClaimOptions> = async (context, { args: _, format, ...options }) => {
  const rows = await readStore<readonly Row[]>(context, [], (store) => readRows(store, context.now()))
  const form = claimForms.find((known) => known === format)
  const texts = form === undefined ? [] : rows.map((row) => textOf(row, form))
  const claims = rows.map((row, at) => ({
    ...rowJson(row),
    ...(form === undefined ? {} : { text: texts[at] ?? null }),
  }))
  const text = form === undefined ? tableOf(rows) : texts.filter((one) => one !== undefined).join("\n")
  return {
    schema: "kez.claims/1",
    data: { claims, ...(options.out === undefined ? {} : { file: options.out }) },
    text: rows.length === 0 ? "No claims were made here yet." : deliver(context, text, options),
    ...(rows.length === 0 ? { next: "kez claim dns example.org" } : {}),
  }
}

/** Undefined for a claim that serves no more, and for one that has no such form. */
function textOf({ own: { claim }, state, chain }: Row, form: ProofForm): string | undefined {
  if (state !== "valid" || (form === "dns" && !claim.payload.subject.startsWith("dns:"))) return undefined
  if (form !== "reference") return claimText(claim, form, {})
  return chain === undefined ? undefined : encodeProof({ chain }, "reference")
}

/** What other columns leave of 80. */
const maxSubjectChars = 26

function tableOf(rows: readonly Row[]): string {
  // Which key it was matters only where there are several, and then more than the digest.
  const isOfMany = new Set(rows.map(({ own }) => own.claim.payload.primary)).size > 1
  const header = ["SUBJECT", "STATE", "IN CHAIN", "CREATED", "EXPIRES", isOfMany ? "BY" : "DIGEST"]
  return columns([header, ...rows.map((row) => rowText(row, isOfMany))])
}

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
    chain: chain?.chain,
    state: isRevoked ? "revoked" : isReplaced ? "replaced" : isExpired ? "expired" : "valid",
    listed: entry?.status === "active" && entry.proof === own.digest,
  }
}

function rowJson({ own: { claim, digest }, state, listed }: Row) {
  const { subject, primary, created_at, expires_at } = claim.payload
  return { subject, primary, digest, created_at, expires_at: expires_at ?? null, state, listed }
}

function rowText({ own: { claim, digest }, state, listed }: Row, isOfMany: boolean): readonly string[] {
  const { subject, primary, created_at, expires_at } = claim.payload
  const shown = subject.length > maxSubjectChars ? `${subject.slice(0, maxSubjectChars - 1)}…` : subject
  const last = valueStart(isOfMany ? primary : digest)
  return [shown, state, listed ? "yes" : "no", dayOf(created_at), dayOf(expires_at ?? "never"), last]
}

function dayOf(time: string): string {
  return time.slice(0, 10)
}

/** `9f2c1a77…` of a key or a digest; `--json` has all of it. */
function valueStart(text: string): string {
  return `${text.replace(/^(?:sha256:|ed25519:|nostr:npub1)/, "").slice(0, 7)}…`
}
