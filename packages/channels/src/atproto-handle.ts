/** From a handle of atproto to a DID: a TXT record and a file at the handle's own host, which must not differ. SPEC §7.5. */
import { type Code, KezError } from "@kez/core"
import { isDid } from "./atproto-did.ts"
import { decodeUtf8 } from "./body.ts"
import type { Evidence, Net, Publication } from "./channel.ts"
import { digestRecords } from "./dns.ts"
import { maxNameBytes } from "./limits.ts"
import { describeFetch, publicationOfError, publicationOfStatus, withNote } from "./publication.ts"
import { UnknownHostError } from "./resolver.ts"

export interface HandleFound {
  readonly status: "found"
  readonly did: string
  readonly evidence: readonly Evidence[]
}

interface HandleLook {
  /** The DIDs that it names, each once. */
  readonly dids: readonly string[]
  readonly evidence: Evidence
  /** It gave no answer. */
  readonly failure?: { readonly code: Code; readonly retryAfterSeconds?: number }
}

/** Throws only the signal's reason. */
export async function resolveHandle(
  handle: string,
  net: Net,
  signal: AbortSignal,
): Promise<HandleFound | Exclude<Publication, { status: "found" }>> {
  const looks = await Promise.all([lookAtDns(handle, net, signal), lookAtHost(handle, net, signal)])
  const evidence = looks.map((look) => look.evidence)
  const [did, ...others] = new Set(looks.flatMap(({ dids }) => dids))
  if (did !== undefined && others.length === 0) return { status: "found", did, evidence }
  if (did !== undefined) {
    const note = `the name leads to different accounts: ${[did, ...others.slice(0, 3)].join(" and ")}`
    return { status: "invalid", code: "account.one_sided", evidence: withNote(evidence, note, "account.one_sided") }
  }
  const failure = looks.find((look) => look.failure !== undefined)?.failure
  if (failure !== undefined) return { status: "unreachable", ...failure, evidence }
  return { status: "absent", code: "proof.not_found", evidence: withNote(evidence, `${handle} leads to no account`) }
}

async function lookAtDns(handle: string, net: Net, signal: AbortSignal): Promise<HandleLook> {
  const name = `_atproto.${handle}`
  const place = { url: `dns:${name}?type=TXT`, fetchedAt: net.now() }
  if (name.length > maxNameBytes) return { dids: [], evidence: { ...place, note: "longer than a DNS name can be" } }
  try {
    const records = (await net.resolveTxt(name, signal)).records.toSorted()
    const evidence = records.length === 0 ? place : { ...place, sha256: digestRecords(records) }
    const named = records.filter((text) => text.startsWith("did=")).map((text) => text.slice("did=".length))
    const dids = [...new Set(named.filter(isDid))]
    if (named.length === 0 || dids.length > 0) return { dids, evidence }
    return { dids, evidence: { ...evidence, note: "the record after did= is no DID" } }
  } catch (error) {
    return failed(error, place)
  }
}

async function lookAtHost(handle: string, net: Net, signal: AbortSignal): Promise<HandleLook> {
  const place = { url: `https://${handle}/.well-known/atproto-did`, fetchedAt: net.now() }
  try {
    // Any media type: many hosts give a file without an ending none or the wrong one. What counts is that it is a DID.
    const answer = await net.fetch(place.url, { signal })
    const seen = describeFetch(answer)
    const refusal = publicationOfStatus(answer)
    if (refusal?.status === "absent") return { dids: [], evidence: seen }
    if (refusal !== undefined) return { dids: [], evidence: refusal.evidence[0] ?? seen, failure: failureOf(refusal) }
    const did = decodeUtf8(answer.body, answer.headers["content-type"]).split("\n", 1)[0]?.trim() ?? ""
    if (isDid(did)) return { dids: [did], evidence: seen }
    // A page for every path, or an error page: it says neither yes nor no.
    return unread({ ...seen, note: "expected a DID, got another text" })
  } catch (error) {
    // A host without an address serves no such file. Most handles by DNS have none.
    if (error instanceof UnknownHostError) return { dids: [], evidence: { ...place, note: "the host has no address" } }
    const isUnreadable = error instanceof KezError && /^(?:limit|text)\./.test(error.code)
    return isUnreadable ? unread({ ...place, note: error.message }) : failed(error, place)
  }
}

function unread(evidence: Evidence): HandleLook {
  const code = "net.content_type"
  return { dids: [], evidence: { ...evidence, code }, failure: { code } }
}

function failed(error: unknown, place: Evidence): HandleLook {
  const refusal = publicationOfError(error, place)
  return { dids: [], evidence: refusal.evidence[0] ?? place, failure: failureOf(refusal) }
}

function failureOf(refusal: Exclude<Publication, { status: "found" }>): NonNullable<HandleLook["failure"]> {
  const retry = "retryAfterSeconds" in refusal ? refusal.retryAfterSeconds : undefined
  return { code: refusal.code, ...(retry === undefined ? {} : { retryAfterSeconds: retry }) }
}
