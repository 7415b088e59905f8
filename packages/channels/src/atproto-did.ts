/** The DID document of atproto: how an account is called, and which server holds its records. SPEC §7.5. */
import { isDomain } from "@kez/core"
import type { Evidence, Net, Publication } from "./channel.ts"
import { listAt, parseForeign, textAt } from "./foreign-json.ts"
import { maxDidBytes, maxDocumentEntries } from "./limits.ts"
import { describeFetch, publicationOfError, publicationOfStatus } from "./publication.ts"

export interface DidDocument {
  readonly status: "found"
  readonly did: string
  /** The name that the document gives to the account: the first well-formed one. Lower case. */
  readonly handle: string | undefined
  /** Origin of the account's own server. */
  readonly pds: string | undefined
  readonly evidence: readonly Evidence[]
}

const didForm = /^did:[a-z]{1,32}:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]$/
const plcForm = /^did:plc:[a-z2-7]{24}$/
const mediaTypes = ["application/json", "application/did+json", "application/did+ld+json", "application/ld+json"]

export function isDid(text: string): boolean {
  return text.length <= maxDidBytes && didForm.test(text)
}

/** Where the document lies. Undefined for a DID that atproto does not know: another method, or did:web with a path or port. */
export function documentUrlOf(did: string): string | undefined {
  if (plcForm.test(did)) return `https://plc.directory/${did}`
  const host = did.startsWith("did:web:") ? did.slice("did:web:".length) : ""
  return isDomain(host) ? `https://${host}/.well-known/did.json` : undefined
}

/** Throws only the signal's reason. */
export async function readDidDocument(
  did: string,
  net: Net,
  signal: AbortSignal,
): Promise<DidDocument | Exclude<Publication, { status: "found" }>> {
  const url = documentUrlOf(did)
  if (url === undefined) return unsupported(did, net)
  try {
    const answer = await net.fetch(url, { signal, accept: mediaTypes, sameHost: true })
    const evidence = describeFetch(answer)
    const refusal = publicationOfStatus(answer)
    if (refusal?.status === "absent") {
      const note = answer.status === 410 ? `${did} was closed for good` : `there is no document of ${did}`
      return { ...refusal, evidence: [{ ...evidence, note }] }
    }
    return refusal ?? readDocument(did, parseForeign(answer), evidence)
  } catch (error) {
    return publicationOfError(error, { url, fetchedAt: net.now() })
  }
}

function readDocument(
  did: string,
  document: unknown,
  evidence: Evidence,
): DidDocument | Exclude<Publication, { status: "found" }> {
  if (textAt(document, "id") !== did) {
    const note = `the document does not say that it is of ${did}`
    return { status: "invalid", code: "account.id", evidence: [{ ...evidence, code: "account.id", note }] }
  }
  return { status: "found", did, handle: readHandle(document), pds: readPds(did, document), evidence: [evidence] }
}

/** Only the first well-formed handle counts, so that one account has one name at a time. */
function readHandle(document: unknown): string | undefined {
  return listAt(document, "alsoKnownAs")
    .slice(0, maxDocumentEntries)
    .flatMap((name) => (typeof name === "string" && name.startsWith("at://") ? [lowerAscii(name.slice(5))] : []))
    .find(isDomain)
}

/** The first service of that name, if it is the plain origin of an https server. */
function readPds(did: string, document: unknown): string | undefined {
  const service = listAt(document, "service")
    .slice(0, maxDocumentEntries)
    .find((entry) => ["#atproto_pds", `${did}#atproto_pds`].includes(textAt(entry, "id") ?? ""))
  const endpoint = textAt(service, "serviceEndpoint") ?? ""
  if (textAt(service, "type") !== "AtprotoPersonalDataServer" || !URL.canParse(endpoint)) return undefined
  const { protocol, origin, href } = new URL(endpoint)
  return protocol === "https:" && href === `${origin}/` ? origin : undefined
}

function unsupported(did: string, net: Net): Exclude<Publication, { status: "found" }> {
  const code = "identity.unsupported"
  const note = `expected a did:plc or a did:web of a host, got ${did.slice(0, 80)}`
  return { status: "unreachable", code, evidence: [{ url: did.slice(0, 80), fetchedAt: net.now(), code, note }] }
}

/** Unicode case folding would turn other letters into these. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
