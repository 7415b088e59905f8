/** The `ap:` channel: the profile and the pinned posts of an ActivityPub account such as Mastodon's. SPEC §7.6. */
import { findProofs, KezError, type Proof, parseIdentity } from "@kez/core"
import { absent, type FoundAccount, findAccount, type Question } from "./ap-account.ts"
import { readActor } from "./ap-actor.ts"
import { fetchDocument } from "./ap-document.ts"
import { readFeatured } from "./ap-featured.ts"
import { notesOnProfile } from "./ap-near-miss.ts"
import type { Canary, Candidate, Channel, Evidence, LookOptions, Net, Publication } from "./channel.ts"
import { parseForeign, valueAt } from "./foreign-json.ts"
import { pickProofTexts } from "./proof-texts.ts"
import { describeFetch, healthOfError, publicationOfError, publicationOfStatus } from "./publication.ts"
import { type Failure, tryHttpsUrl } from "./webfinger.ts"

/** NodeInfo of the account's host. A host that answers "no such page" is well too: not all have one. */
const canary: Canary = {
  nameFor: (value) => splitAccount(value).host,
  async check(host, net, signal) {
    const place = { url: `https://${host}/.well-known/nodeinfo`, fetchedAt: net.now() }
    try {
      const answer = await net.fetch(place.url, { signal, headers: { accept: "application/json" } })
      const seen = describeFetch(answer)
      if ([404, 410].includes(answer.status)) return { ok: true, evidence: { ...seen, note: `${host} answers` } }
      const isWell = answer.status === 200 && Array.isArray(valueAt(parseForeign(answer), "links"))
      const note = isWell ? `${host} answers` : `${host} does not answer as a server of this kind does`
      return { ok: isWell, evidence: isWell ? { ...seen, note } : { ...seen, code: "net.status", note } }
    } catch (error) {
      return healthOfError(error, place)
    }
  },
}

export const ap: Channel = { system: "ap", collect, canary }

async function collect(value: string, net: Net, { signal, knownAccountId }: LookOptions): Promise<Publication> {
  const question = { value, ...splitAccount(value), net, signal }
  const look = await findAccount(question)
  if (look.failure !== undefined) {
    return look.isUnknown === true ? lookForKnown(question, look.failure, knownAccountId) : look.failure
  }
  const { account } = look
  const { profile } = account
  // A post is worth more requests only where the profile does not settle it.
  const posts = isSettled(profile.texts, value) ? noPosts : await readPosts(account, question)
  const evidence = [...account.evidence, ...posts.evidence]
  const { candidates, chainHints } = pickProofTexts([...profile.texts, ...posts.texts])
  const notes = notesOnProfile({ value, profile, texts: posts.texts, hasProof: candidates.length > 0 })
  if (candidates.length > 0) {
    const moved = account.actor?.movedTo
    const all = [
      ...notes,
      ...(moved === undefined ? [] : [`the account says that it has moved to ${moved.slice(0, 200)}`]),
    ]
    return { status: "found", candidates, chainHints, accountId: account.id, evidence: withNotes(evidence, all) }
  }
  // Of a suspended account nothing is shown, its posts neither. [AP-9]
  if (posts.failure !== undefined && account.actor?.isSuspended !== true)
    return { ...posts.failure, evidence: [...evidence, ...posts.failure.evidence] }
  return missing(question, { account, knownAccountId, evidence, notes })
}

interface Posts {
  readonly texts: readonly Candidate[]
  readonly evidence: readonly Evidence[]
  readonly failure?: Failure
}

const noPosts: Posts = { texts: [], evidence: [] }

async function readPosts(account: FoundAccount, { net, signal }: Question): Promise<Posts> {
  const { actor, pinned } = account
  if (actor !== undefined) return readFeatured(actor, net, signal)
  if (pinned !== undefined) return { texts: pinned, evidence: [] }
  return { ...noPosts, failure: { status: "unreachable", code: "net.status", evidence: [] } }
}

/** Whether a text holds a whole claim for this account, or a whole reference: then the pinned posts add nothing. */
function isSettled(texts: readonly Candidate[], value: string): boolean {
  return texts.some(({ text }) => {
    const found = tryKez(() => findProofs(text).candidates) ?? []
    return found.some((one) => "proof" in one && isAbout(one.proof, value))
  })
}

function isAbout(proof: Proof, value: string): boolean {
  if (proof.kind === "reference") return true
  // A subject may be in another accepted spelling, or of a system that nobody here knows. SPEC ID-5.
  const subject = tryKez(() => parseIdentity(proof.claim.payload.subject))
  return subject?.system === "ap" && subject.value === value
}

function tryKez<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

/** Nothing was found at an account that is there: is it still the one that was proven? */
function missing(
  { value }: Question,
  found: {
    readonly account: FoundAccount
    readonly knownAccountId: string | undefined
    readonly evidence: readonly Evidence[]
    readonly notes: readonly string[]
  },
): Publication {
  const { account, knownAccountId, evidence, notes } = found
  const { actor } = account
  const isOther = knownAccountId !== undefined && knownAccountId !== account.id
  if (isOther) {
    const note = `${value} is another account now: ${account.id}, not ${knownAccountId}`
    return { status: "invalid", code: "account.changed", evidence: withNotes(evidence, [note], "account.changed") }
  }
  if (actor?.movedTo !== undefined && knownAccountId !== undefined) {
    const note = `the account has moved to ${actor.movedTo.slice(0, 200)}`
    return { status: "invalid", code: "account.renamed", evidence: withNotes(evidence, [note], "account.renamed") }
  }
  const suspended = "the account is suspended by its server, which hides the profile"
  const all = actor?.isSuspended === true ? [suspended] : notes
  return { status: "absent", code: "proof.not_found", evidence: withNotes(evidence, all) }
}

/** The name is gone. Where the account of the last verification still answers, it says what became of it. */
async function lookForKnown(
  { value, net, signal }: Question,
  failure: Failure,
  knownAccountId: string | undefined,
): Promise<Publication> {
  const url = tryHttpsUrl(knownAccountId)
  if (url === undefined) return failure
  const { evidence } = failure
  try {
    const answer = await fetchDocument(url, net, { signal })
    if (publicationOfStatus(answer) !== undefined) return failure
    const actor = readActor(answer)
    if (typeof actor === "string" || actor.id !== url) return failure
    const seen = describeFetch(answer)
    const { movedTo, username } = actor
    if (movedTo === undefined && username === splitAccount(value).user) {
      return absent(seen, `the account is still at ${url}, but WebFinger does not know ${value}`, evidence)
    }
    const now = movedTo ?? `${username.slice(0, 80)} at ${new URL(url).host}`
    const note = `the account that was ${value} is ${now.slice(0, 200)} now`
    const code = "account.renamed"
    return { status: "invalid", code, evidence: [...evidence, { ...seen, code, note }] }
  } catch (error) {
    // The answer about the name stands, whatever the old place does.
    publicationOfError(error, { url, fetchedAt: net.now() })
    return failure
  }
}

function splitAccount(value: string): { readonly user: string; readonly host: string } {
  const [user = "", host = ""] = value.split("@")
  return { user, host }
}

/** The last look carries the notes: what it did not find is what they explain. */
function withNotes(
  evidence: readonly Evidence[],
  notes: readonly string[],
  code?: NonNullable<Evidence["code"]>,
): readonly Evidence[] {
  const last = evidence.at(-1)
  if (last === undefined || notes.length === 0) return evidence
  const note = [...(last.note === undefined ? [] : [last.note]), ...notes].join("; ")
  return [...evidence.slice(0, -1), { ...last, note, ...(code === undefined ? {} : { code }) }]
}
