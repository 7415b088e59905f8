/** Claims of the identities on this computer: making one, and finding one that still serves. */
import {
  type ChainReplay,
  type Claim,
  encodeProof,
  formatIdentity,
  KezError,
  limits,
  type ProofForm,
  parseIdentity,
  type Signer,
  signClaim,
} from "@kez/core"
import type { Context } from "./context.ts"
import { writeDocument } from "./documents.ts"
import { readExpiry } from "./expiry.ts"
import { readStore, withStore } from "./store/access.ts"
import type { OwnClaim } from "./store/claims.ts"

export interface ClaimOptions {
  readonly format?: string
  readonly out?: string
  readonly force?: boolean
  readonly expires?: string
  readonly chainHint?: string
}

export const claimForms = ["json", "compact", "markdown", "dns", "reference"] as const satisfies readonly ProofForm[]

/** The canonical form of a typed subject. */
export function readSubject(typed: string): string {
  return formatIdentity(parseIdentity(typed))
}

/** Throws `usage` for a form that there is not, or that has no room for what was asked. */
export function readForm({ format = "markdown", chainHint }: ClaimOptions, subject: string): ProofForm {
  const form = claimForms.find((known) => known === format)
  if (form === undefined)
    throw new KezError("usage", `Cannot write the claim: expected --format ${claimForms.join(", ")}`)
  if (form === "dns" && !subject.startsWith("dns:")) {
    throw new KezError("usage", `Cannot write a DNS record for ${subject}: expected a dns: subject`)
  }
  if (chainHint !== undefined) assertHint(form, chainHint)
  return form
}

/** Signs a claim. Throws `chain.not_authorised` for a key that a known chain has replaced: nobody would accept it. */
export async function makeClaim(
  context: Context,
  signer: Signer,
  { subject, expires }: { readonly subject: string; readonly expires?: string | undefined },
): Promise<Claim> {
  await assertInForce(context, signer.key)
  const now = context.now()
  const expiresAt = expires === undefined ? {} : { expiresAt: readExpiry(expires, now) }
  return signClaim({ subject, createdAt: now, ...expiresAt }, signer)
}

/** Keeps a claim, for `sigchain add` to name. */
export async function keepClaim(context: Context, claim: Claim): Promise<void> {
  const [{ inTransaction }, { saveClaim }] = await Promise.all([
    import("./store/database.ts"),
    import("./store/claims.ts"),
  ])
  await withStore(context, (store) => inTransaction(store, () => saveClaim(store, claim)))
}

/** Throws `chain.not_authorised` for a key that a known chain has rotated away, and none has in force. */
export async function assertInForce(context: Context, key: string): Promise<void> {
  const chain = await readStore<ChainReplay | undefined>(context, undefined, async (store) => {
    const { chainsOfKey, loadChain } = await import("./store/chains.ts")
    const chains = chainsOfKey(store, key, "primary").flatMap((id) => loadChain(store, id) ?? [])
    const isReplaced = ({ state }: ChainReplay): boolean => state.primaries.includes(key) && state.primary !== key
    return chains.every(isReplaced) ? chains[0] : undefined
  })
  if (chain === undefined) return
  const { replaced } = await import("./chain-refusal.ts")
  throw replaced(context, "claim by this key", key, chain)
}

/** The newest claim that a verifier would still accept, `chain` being that of its key. */
export function findUsableClaim(
  claims: readonly OwnClaim[],
  now: number,
  chain: ChainReplay | undefined,
): OwnClaim | undefined {
  return claims.find(({ digest, expiresAt, claim }) => {
    if (expiresAt !== undefined && expiresAt <= now) return false
    const entry = chain?.state.subjects.get(claim.payload.subject)
    // After a revocation only the claim that the chain names again counts. [VER-8]
    return entry === undefined || !entry.everRevoked || entry.proof === digest
  })
}

/** The text of a claim in one form. */
export function claimText(claim: Claim, form: ProofForm, { chainHint }: ClaimOptions): string {
  return encodeProof(claim, form, chainHint === undefined ? {} : { chainHint })
}

/** Writes the text to a file if one was named, and says so; returns what goes to stdout. */
export function deliver(context: Context, text: string, { out, force }: Pick<ClaimOptions, "out" | "force">): string {
  if (out === undefined || out === "-") return text
  writeDocument(out, text.endsWith("\n") ? text : `${text}\n`, { force: force === true })
  context.terminal.progress(`wrote ${out}`)
  return ""
}

/** Throws `usage` for a form that has no room for a hint, and for a hint that is no URL. */
export function assertHint(form: ProofForm, hint: string): void {
  if (form !== "markdown" && form !== "dns") {
    throw new KezError("usage", `Cannot write a chain hint beside ${form}: expected --format markdown or dns`)
  }
  if (!/^https:\/\/[!-~]+$/.test(hint) || hint.length > limits.maxHintBytes || hint.includes('"')) {
    throw new KezError("usage", "Cannot use --chain-hint: expected an https:// URL in printable ASCII")
  }
}
