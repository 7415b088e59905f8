/** Which account of atproto a handle means, with both sides naming each other, and where an account went. SPEC §7.5. */
import { isDid, readDidDocument } from "./atproto-did.ts"
import { resolveHandle } from "./atproto-handle.ts"
import type { Evidence, LookOptions, Net, Publication } from "./channel.ts"
import { withNote } from "./publication.ts"

export interface AtprotoAccount {
  readonly did: string
  readonly handle: string
  /** Origin of the server that holds its records. */
  readonly pds: string
}

export type NoAccount = Exclude<Publication, { status: "found" }>

export interface AccountFound {
  readonly status: "found"
  readonly account: AtprotoAccount
  /** The name belonged to another account when it was seen last. */
  readonly isOther: boolean
  readonly evidence: readonly Evidence[]
}

/** Throws only the signal's reason. */
export async function findAccount(handle: string, net: Net, options: LookOptions): Promise<AccountFound | NoAccount> {
  const { signal } = options
  const known =
    options.knownAccountId !== undefined && isDid(options.knownAccountId) ? options.knownAccountId : undefined
  const named = await resolveHandle(handle, net, signal)
  if (named.status === "absent" && known !== undefined) return explainLoss({ handle, known, named }, net, signal)
  if (named.status !== "found") return named
  const isOther = known !== undefined && known !== named.did
  // Only for the owner's sake: where the account is that had the name before.
  const before = isOther ? await describeFormer({ handle, known }, net, signal) : []
  const document = await readDidDocument(named.did, net, signal)
  const evidence = [...named.evidence, ...before, ...document.evidence]
  if (document.status === "absent") return absentOf({ isOther, evidence })
  if (document.status !== "found") return { ...document, evidence }
  if (document.handle !== handle) {
    const name = document.handle === undefined ? "no name" : `the name ${document.handle}`
    const note = `${handle} leads to ${named.did}, whose document gives it ${name}`
    return { status: "invalid", code: "account.one_sided", evidence: withNote(evidence, note, "account.one_sided") }
  }
  if (document.pds === undefined) return absentOf({ isOther, evidence }, "the document names no server")
  return { status: "found", account: { did: named.did, handle, pds: document.pds }, isOther, evidence }
}

/** No proof. Of a name that somebody else has now, that is the reason. */
export function absentOf({ isOther, evidence }: Pick<AccountFound, "isOther" | "evidence">, note?: string): NoAccount {
  if (!isOther) return { status: "absent", code: "proof.not_found", evidence: withNote(evidence, note) }
  return { status: "invalid", code: "account.changed", evidence: withNote(evidence, note, "account.changed") }
}

/** The name leads nowhere, but the account that had it may have another one now. */
async function explainLoss(
  { handle, known, named }: { readonly handle: string; readonly known: string; readonly named: NoAccount },
  net: Net,
  signal: AbortSignal,
): Promise<NoAccount> {
  const document = await readDidDocument(known, net, signal)
  const evidence = [...named.evidence, ...document.evidence]
  if (document.status !== "found" || document.handle === undefined) return { ...named, evidence }
  if (document.handle === handle) {
    const note = `the account still calls itself ${handle}, but neither its DNS nor its host says so any more`
    return { ...named, evidence: withNote(evidence, note) }
  }
  const note = `the account is called ${document.handle} now`
  return { status: "invalid", code: "account.renamed", evidence: withNote(evidence, note, "account.renamed") }
}

async function describeFormer(
  { handle, known }: { readonly handle: string; readonly known: string },
  net: Net,
  signal: AbortSignal,
): Promise<readonly Evidence[]> {
  const document = await readDidDocument(known, net, signal)
  const now = document.status === "found" ? document.handle : undefined
  const where = now === undefined || now === handle ? "" : `; that account is called ${now} now`
  return withNote(document.evidence, `${handle} belonged to ${known} when it was seen last${where}`)
}
