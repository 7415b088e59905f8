/** The `bluesky:` channel: proofs in the profile and the posts of the account that a handle leads to. SPEC §7.5. */
import { type AccountFound, type AtprotoAccount, absentOf, findAccount } from "./atproto-account.ts"
import { readDidDocument } from "./atproto-did.ts"
import { lookAtXrpc, noteOnRepoStatus } from "./atproto-xrpc.ts"
import { noteOnNothing, noteOnPosted } from "./bluesky-near-miss.ts"
import { lookAtPosts, lookAtPostsCopy, lookAtProfile, lookAtProfileCopy, type PlaceLook } from "./bluesky-records.ts"
import type { Canary, Channel, Evidence, LookOptions, Net, Publication } from "./channel.ts"
import { textAt, valueAt } from "./foreign-json.ts"
import { pickProofTexts } from "./proof-texts.ts"
import { withNote } from "./publication.ts"

/** The network's own account, there since the directory is. */
const canaryHandle = "bsky.app"
const canaryDid = "did:plc:z72i7hdynmk6r22z27h6tvur"

const canary: Canary = {
  nameFor: () => canaryHandle,
  async check(_name, net, signal) {
    const document = await readDidDocument(canaryDid, net, signal)
    const evidence = document.evidence.at(-1) ?? { url: `https://plc.directory/${canaryDid}`, fetchedAt: net.now() }
    const ok = document.status === "found" && document.handle === canaryHandle
    if (ok) return { ok, evidence: { ...evidence, note: "the directory of accounts works" } }
    const note = evidence.note ?? `the directory of accounts does not know ${canaryHandle}`
    return { ok, evidence: { ...evidence, note } }
  },
}

export const bluesky: Channel = { system: "bluesky", collect, canary }

async function collect(handle: string, net: Net, options: LookOptions): Promise<Publication> {
  const finding = await findAccount(handle, net, options)
  if (finding.status !== "found") return finding
  const { account } = finding
  const own = await Promise.all([
    lookAtProfile(account, net, options.signal),
    lookAtPosts(account, net, options.signal),
  ])
  const closed = await askWhetherClosed(account, own, net, options.signal)
  if (closed !== undefined) return absentOf(withLooks(finding, [...own, closed]), "nothing of it is shown")
  const copies = await lookAtCopies(account, own, net, options.signal)
  return judge(finding, { own, copies }, options)
}

interface Looks {
  readonly own: readonly PlaceLook[]
  /** At the public copy, in place of own servers that did not answer. */
  readonly copies: readonly PlaceLook[]
}

function judge(finding: AccountFound, { own, copies }: Looks, options: LookOptions): Publication {
  const looks = [...own, ...copies]
  const texts = looks.flatMap((look) => look.texts)
  const { evidence } = withLooks(finding, looks)
  const broken = noteOnPosted(texts.map(({ text }) => text))
  const { candidates, chainHints } = pickProofTexts(texts.map(({ text, foundAt }) => ({ text, foundAt })))
  if (candidates.length > 0) {
    const accountId = finding.account.did
    return { status: "found", candidates, chainHints, accountId, evidence: withNote(evidence, broken) }
  }
  // The copy can show a proof, but not that there is none: it may lag behind.
  const failure = own.find((look) => look.failure !== undefined)?.failure
  if (failure !== undefined) return { ...failure, evidence: withNote(evidence, broken) }
  const foreign = pickProofTexts(looks.flatMap((look) => look.foreign))
  if (foreign.candidates.length > 0) {
    const note = "the only proof there is another account's"
    return { status: "invalid", code: "account.owner", evidence: withNote(evidence, note, "account.owner") }
  }
  return absentOf({ isOther: finding.isOther, evidence }, broken ?? noteOnNothing(looks, options.claimedAt))
}

function withLooks(finding: AccountFound, looks: readonly PlaceLook[]): AccountFound {
  return { ...finding, evidence: [...finding.evidence, ...looks.flatMap(({ evidence }) => evidence)] }
}

/** A server refuses everything of a closed account with one plain 400, as it does for a fault; its status says which it is. */
async function askWhetherClosed(
  { did, pds }: AtprotoAccount,
  own: readonly PlaceLook[],
  net: Net,
  signal: AbortSignal,
): Promise<PlaceLook | undefined> {
  const isUnclear = own.every(({ failure, evidence }) => failure !== undefined && evidence.at(-1)?.status === 400)
  if (!isUnclear) return undefined
  const seen = await lookAtXrpc({ origin: pds, method: "com.atproto.sync.getRepoStatus", params: { did } }, net, signal)
  const nothing = { texts: [], foreign: [] }
  if ("status" in seen) return seen.status === "absent" ? { ...nothing, evidence: seen.evidence } : undefined
  const isClosed = textAt(seen.body, "did") === did && valueAt(seen.body, "active") === false
  const note = noteOnRepoStatus(textAt(seen.body, "status"))
  return isClosed ? { ...nothing, evidence: [{ ...seen.evidence, note }] } : undefined
}

/** In place of looks that the account's own server left without an answer. */
async function lookAtCopies(
  account: AtprotoAccount,
  own: readonly PlaceLook[],
  net: Net,
  signal: AbortSignal,
): Promise<readonly PlaceLook[]> {
  const isSilent = (look: PlaceLook | undefined) => look?.failure?.status === "unreachable"
  const [profile, posts] = own
  const copies = await Promise.all([
    ...(isSilent(profile) ? [lookAtProfileCopy(account, net, signal)] : []),
    ...(isSilent(posts) ? [lookAtPostsCopy(account, net, signal)] : []),
  ])
  return copies.map((look) => ({ ...look, evidence: look.evidence.map(asCopy) }))
}

function asCopy(evidence: Evidence): Evidence {
  const note = "the account's own server did not answer; this is the public copy"
  return { ...evidence, note: evidence.note === undefined ? note : `${note}; ${evidence.note}` }
}
