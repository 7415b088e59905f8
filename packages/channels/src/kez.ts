/** The `kez:` channel: accounts on KEZ chat servers, by the signed registration that the server shows. SPEC §7.7. */
import {
  assertSignature,
  canonicalize,
  decodeEnvelope,
  type Envelope,
  encodeReference,
  isDigest,
  type Json,
  KezError,
  limits,
  parseJson,
  parseTime,
} from "@kez/core"
import { decodeUtf8 } from "./body.ts"
import type { Canary, Channel, Evidence, LookOptions, Net, Publication } from "./channel.ts"
import type { FetchAnswer } from "./fetch-answer.ts"
import { parseForeign, textAt, valueAt } from "./foreign-json.ts"
import { maxHandleRecordBytes } from "./limits.ts"
import { describeFetch, healthOfError, publicationOfError, publicationOfStatus } from "./publication.ts"

/** As a `Chain:` hint. SPEC FIND-4. */
const chainUrlForm = /^https:\/\/[!-~]+$/

const canary: Canary = {
  nameFor: (value) => `https://${partsOf(value).host}/livez`,
  async check(url, net, signal) {
    try {
      const answer = await net.fetch(url, { signal, sameHost: true, maxBodyBytes: maxHandleRecordBytes })
      const ok = answer.status === 200
      const note = ok ? "the chat server works" : "the chat server does not say that it works"
      return { ok, evidence: { ...describeFetch(answer), note } }
    } catch (error) {
      return healthOfError(error, { url, fetchedAt: net.now() })
    }
  },
}

export const kez: Channel = { system: "kez", collect, canary }

async function collect(value: string, net: Net, options: LookOptions): Promise<Publication> {
  const { handle, host } = partsOf(value)
  const url = `https://${host}/v1/handles/${handle}`
  let place: Evidence = { url, fetchedAt: net.now() }
  try {
    const answer = await net.fetch(url, {
      signal: options.signal,
      // Nobody else can answer for the names of a host.
      sameHost: true,
      accept: ["application/json"],
      maxWireBytes: maxHandleRecordBytes,
      maxBodyBytes: maxHandleRecordBytes,
    })
    const refused = publicationOfStatus(answer)
    if (refused !== undefined) return explained(refused, answer, value)
    place = describeFetch(answer)
    return read(answer, value, { place, now: net.now(), knownAccountId: options.knownAccountId })
  } catch (error) {
    return isTheirs(error) ? invalid(error, place) : publicationOfError(error, place)
  }
}

interface Asked {
  readonly place: Evidence
  readonly now: number
  readonly knownAccountId: string | undefined
}

function read(answer: FetchAnswer, value: string, { place, now, knownAccountId }: Asked): Publication {
  const { handle, host } = partsOf(value)
  // A page that is no JSON is no answer; one that is, but in two readings, is a wrong one.
  parseForeign(answer)
  const record = parseJson(decodeUtf8(answer.body))
  if (textAt(record, "handle") !== handle || textAt(record, "host") !== host) {
    throw new KezError("account.id", `the record is not that of ${value}`)
  }
  const { payload } = readRegistration(record)
  if (payload.handle !== handle || payload.host !== host) {
    const other = `${payload.handle}@${payload.host}`
    throw new KezError(
      "account.one_sided",
      `the server shows a registration of ${other}, whose owner did not sign for this`,
    )
  }
  if (parseTime(payload.created_at) > now + limits.clockSkewSeconds) {
    throw new KezError("time.future", `the registration is dated ${payload.created_at}`)
  }
  const { chain } = payload
  if (!isDigest(chain)) throw new Error("unreachable: the schema of a registration has a digest here")
  const changed = knownAccountId !== undefined && knownAccountId !== chain
  const note = changed ? `another chain than before: it was ${knownAccountId}` : `registered for chain ${chain}`
  return {
    status: "found",
    // Without the host: a chat server keeps no chains, and what it keeps is no reason to expect one there.
    candidates: [{ text: encodeReference({ chain }), foundAt: answer.url }],
    chainHints: readChainUrl(record),
    accountId: chain,
    evidence: [{ ...place, note }],
  }
}

function readRegistration(record: Json): Envelope<"handle_registration"> {
  const value = valueAt(record, "registration")
  if (value === undefined) throw new KezError("schema.missing_member", "the record has no registration")
  const registration = decodeEnvelope(canonicalize(value), "handle_registration")
  assertSignature(registration)
  return registration
}

function readChainUrl(record: Json): readonly string[] {
  const url = textAt(record, "chain_url")
  return url !== undefined && url.length <= limits.maxHintBytes && chainUrlForm.test(url) ? [url] : []
}

/** Whether the error is about what the server said, and not about how it was reached. */
function isTheirs(error: unknown): error is KezError {
  return error instanceof KezError && !/^(?:net|limit|text)\./.test(error.code)
}

function invalid({ code, message }: KezError, place: Evidence): Publication {
  return { status: "invalid", code, evidence: [{ ...place, code, note: message }] }
}

function explained(
  refused: Exclude<Publication, { status: "found" }>,
  { status }: FetchAnswer,
  value: string,
): Publication {
  if (refused.status !== "absent") return refused
  const { handle, host } = partsOf(value)
  const note =
    status === 410 ? `${handle} was given up by its owner, and nobody else can have it` : `${host} knows no ${handle}`
  return { ...refused, evidence: refused.evidence.map((seen) => ({ ...seen, note })) }
}

function partsOf(value: string): { readonly handle: string; readonly host: string } {
  const [handle = "", host = ""] = value.split("@")
  return { handle, host }
}
