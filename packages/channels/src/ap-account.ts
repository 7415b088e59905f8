/**
 * From `user@host` to the one actor that it names, and back: every host involved has to say the same. SPEC §7.6.
 * The actor's own server confirms the account, so that no host can point at somebody else's profile.
 */
import { isDomain } from "@kez/core"
import { type Actor, type Profile, readActor } from "./ap-actor.ts"
import { fetchDocument } from "./ap-document.ts"
import type { Candidate, Evidence, Net } from "./channel.ts"
import { lookUpPinned, lookUpProfile } from "./mastodon-lookup.ts"
import { describeFetch, publicationOfError, publicationOfStatus } from "./publication.ts"
import { type AccountLinks, askWebFinger, type Failure } from "./webfinger.ts"

/** An account whose hosts agree about it. */
export interface FoundAccount {
  readonly id: string
  readonly profile: Profile
  readonly actor?: Actor
  /** Pinned posts, where the profile came from the API; undefined when it does not list them. */
  readonly pinned?: readonly Candidate[] | undefined
  readonly evidence: readonly Evidence[]
}

export type AccountLook =
  | { readonly account: FoundAccount; readonly failure?: undefined }
  /** `isUnknown`: the host itself says that it has no such account. */
  | { readonly failure: Failure; readonly isUnknown?: boolean }

export interface Question {
  /** `user@host`, canonical. */
  readonly value: string
  readonly user: string
  readonly host: string
  readonly net: Net
  readonly signal: AbortSignal
}

/** `user@host`, and no URL with an `@` in it. */
const accountForm = /^[^@/:\s]+@([^@/:\s]+)$/
const signedOnly = "profile is fine but this server only answers signed requests"

/** Throws only the signal's reason. */
export async function findAccount(question: Question): Promise<AccountLook> {
  const { value, host, net, signal } = question
  const first = await askWebFinger({ host, account: value }, net, signal)
  if (first.seen === undefined) return { failure: first.failure, isUnknown: first.failure.status === "absent" }
  const { links, seen } = first
  if (links.self === undefined) return { failure: absent(seen, `${value} has no ActivityPub account: no link "self"`) }
  const look = await lookAtActor(question, links.self, links, seen)
  if (look.failure !== undefined) return look
  const { account } = look
  const confirmed = await confirm(question, account, links)
  if ("failure" in confirmed) return { failure: prepend(account.evidence, confirmed.failure) }
  return { account: { ...account, evidence: [...account.evidence, ...confirmed.evidence] } }
}

async function lookAtActor(
  question: Question,
  self: string,
  links: AccountLinks,
  seen: Evidence,
): Promise<AccountLook> {
  const { net, signal } = question
  const place = { url: self, fetchedAt: net.now() }
  try {
    const answer = await fetchDocument(self, net, { signal })
    if (answer.status === 401 || answer.status === 403) {
      return await lookAtApi(question, { self, links, seen, refused: describeFetch(answer) })
    }
    const failure = publicationOfStatus(answer, [seen])
    if (failure !== undefined) return { failure }
    const looked = describeFetch(answer)
    const actor = readActor(answer)
    if (actor === "id") {
      return {
        failure: invalid({ ...looked, code: "account.id", note: "the actor gives another id than its URL" }, [seen]),
      }
    }
    if (actor === "type") return { failure: absent(looked, "what stands there is no account", [seen]) }
    return { account: { id: actor.id, profile: actor, actor, evidence: [seen, looked] } }
  } catch (error) {
    return { failure: publicationOfError(error, place, [seen]) }
  }
}

/** What the server tells everyone through its API, although it shows the actor only to servers that sign their requests. */
async function lookAtApi(
  question: Question,
  at: {
    readonly self: string
    readonly links: AccountLinks
    readonly seen: Evidence
    /** The look at the actor. */
    readonly refused: Evidence
  },
): Promise<AccountLook> {
  const { user, net, signal } = question
  const { self, links, seen, refused } = at
  const refusal: AccountLook = {
    failure: {
      status: "unreachable",
      code: "net.status",
      evidence: [seen, { ...refused, code: "net.status", note: signedOnly }],
    },
  }
  try {
    const lookup = await lookUpProfile({ user, self, links }, net, signal)
    if (lookup === undefined) return refusal
    const pinned = await lookUpPinned({ self, number: lookup.number }, net, signal).catch((error: unknown) => {
      publicationOfError(error, lookup.seen)
      return undefined
    })
    const evidence = [
      seen,
      { ...refused, note: "only for signed requests, so its API was asked" },
      lookup.seen,
      ...(pinned === undefined ? [] : [pinned.seen]),
    ]
    return { account: { id: self, profile: lookup.profile, pinned: pinned?.texts, evidence } }
  } catch (error) {
    publicationOfError(error, { url: self, fetchedAt: net.now() })
    return refusal
  }
}

type Confirmation = { readonly evidence: readonly Evidence[] } | { readonly failure: Failure }

/** Asks the hosts that have not spoken yet: that of the subject, and the actor's own. */
async function confirm(question: Question, account: FoundAccount, links: AccountLinks): Promise<Confirmation> {
  const { value, host, user, net, signal } = question
  const subject = links.subject ?? value
  const names = [value, subject, account.id]
  const oneSided = (seen: Evidence, note: string): Confirmation => ({
    failure: invalid({ ...seen, code: "account.one_sided", note }),
  })
  const here = account.evidence.at(-1) ?? { url: account.id, fetchedAt: net.now() }
  const users = [user, subject.split("@")[0] ?? ""]
  if (account.actor !== undefined && !users.includes(account.actor.username)) {
    return oneSided(here, `the actor calls itself ${account.actor.username.slice(0, 80)}, not ${user}`)
  }
  const actorHost = new URL(account.id).host
  const asked: { readonly host: string; readonly account: string }[] = []
  if (subject !== value && subject !== account.id) {
    const subjectHost = accountForm.exec(subject)?.[1]
    if (subjectHost === undefined || !isDomain(subjectHost))
      return oneSided(here, `WebFinger at ${host} answers for ${subject.slice(0, 200)}`)
    asked.push({ host: subjectHost, account: subject })
  }
  const hasSpoken = [host, links.subject === value ? links.host : host].includes(actorHost)
  if (!hasSpoken) asked.push({ host: actorHost, account: value })
  const evidence: Evidence[] = []
  for (const one of asked) {
    const look = await askWebFinger(one, net, signal)
    if (look.seen === undefined) {
      const { failure } = look
      const [seen] = failure.evidence
      if (failure.status === "unreachable" || seen === undefined) return { failure: prepend(evidence, failure) }
      const hint = subject === value ? "" : `; ${subject.slice(0, 200)} may be the name to claim`
      return oneSided(seen, `${one.host} does not know ${one.account}, which ${host} says is there${hint}`)
    }
    const isSame = look.links.self === account.id && names.includes(look.links.subject ?? "")
    if (!isSame) return oneSided(look.seen, `${one.host} names another account for ${one.account} than ${host} does`)
    evidence.push(look.seen)
  }
  return { evidence }
}

export function absent(seen: Evidence, note: string, earlier: readonly Evidence[] = []): Failure {
  return { status: "absent", code: "proof.not_found", evidence: [...earlier, { ...seen, note }] }
}

function invalid(
  seen: Evidence & { readonly code: NonNullable<Evidence["code"]> },
  earlier: readonly Evidence[] = [],
): Failure {
  return { status: "invalid", code: seen.code, evidence: [...earlier, seen] }
}

function prepend(earlier: readonly Evidence[], failure: Failure): Failure {
  return { ...failure, evidence: [...earlier, ...failure.evidence] }
}
