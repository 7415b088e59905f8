/** The `github:` channel: proofs in public gists, then in the profile README. SPEC §7.3. */
import type { Canary, Channel, Evidence, LookOptions, Net, Publication } from "./channel.ts"
import { integerAt } from "./foreign-json.ts"
import { explainAbsence, findAccount } from "./github-account.ts"
import { apiUrl, askApi, type Refusal } from "./github-api.ts"
import { type GistsLook, lookAtGists } from "./github-list.ts"
import { isLimited } from "./github-reading.ts"
import { lookAtReadme } from "./github-readme.ts"
import { formatCount } from "./near-miss.ts"
import { type ProofTexts, pickProofTexts } from "./proof-texts.ts"

/** GitHub's own account, there since 2008. */
const canaryLogin = "github"
const canaryId = 9919

const canary: Canary = {
  nameFor: () => `account ${canaryLogin} at api.github.com`,
  async check(_name, net, signal) {
    const asked = await askApi(net, `${apiUrl}/users/${canaryLogin}`, { signal })
    if (!asked.ok) {
      const [seen = { url: `${apiUrl}/users/${canaryLogin}`, fetchedAt: net.now() }] = asked.refusal.evidence
      return { ok: false, evidence: { ...seen, code: asked.refusal.code } }
    }
    const ok = integerAt(asked.value, "id") === canaryId
    const note = ok ? "GitHub answers" : `GitHub says that the account ${canaryLogin} is another one`
    return { ok, evidence: { ...asked.evidence, note } }
  },
}

export const github: Channel = { system: "github", collect, canary }

async function collect(login: string, net: Net, options: LookOptions): Promise<Publication> {
  const { signal, knownAccountId: accountId } = options
  const look = { login, accountId, net, signal }
  const gists = await lookAtGists(login, look)
  if (gists.refusal !== undefined) return explainRefusal(gists.refusal, look)
  const inGists = pickProofTexts(gists.texts)
  if (inGists.candidates.length > 0) return conclude(inGists, gists.owner?.id, gists.evidence, look)
  const listed = withSummary(gists, login, { now: net.now(), claimedAt: options.claimedAt })
  if (gists.trouble !== undefined && isLimited(gists)) return { ...gists.trouble, evidence: listed }
  const readme = await lookAtReadme(login, gists.owner, look)
  const evidence = [...listed, ...readme.evidence]
  const inReadme = pickProofTexts(readme.text === undefined ? [] : [{ text: readme.text, foundAt: readme.foundAt }])
  if (inReadme.candidates.length > 0) return conclude(inReadme, readme.owner?.id, evidence, look)
  const trouble = gists.trouble ?? readme.trouble
  if (trouble !== undefined) return { ...trouble, evidence }
  if (evidence.some(({ code }) => code === "account.owner"))
    return { status: "invalid", code: "account.owner", evidence }
  if (gists.isCut) return { status: "invalid", code: "limit.candidates", evidence }
  const absence = { status: "absent", code: "proof.not_found", evidence } as const
  if (accountId === undefined) return absence
  const owner = gists.owner?.id ?? readme.owner?.id
  return explainAbsence(absence, { login, accountId, owner, exists: true }, look)
}

interface Look {
  readonly login: string
  /** The number that was proven before. */
  readonly accountId: string | undefined
  readonly net: Net
  readonly signal: AbortSignal
}

/** No list. A 404 says that nobody has the login; the account that had it may have another now. */
async function explainRefusal(refusal: Refusal, look: Look): Promise<Publication> {
  const isGone = refusal.evidence.some(({ status }) => status === 404 || status === 410)
  if (refusal.status !== "absent" || !isGone) return refusal
  const { login, accountId } = look
  const note = `GitHub has no account named ${login}`
  const absence = { ...refusal, evidence: refusal.evidence.map((one) => ({ ...one, note })) }
  if (accountId === undefined) return absence
  return explainAbsence(absence, { login, accountId, owner: undefined, exists: false }, look)
}

/** The number decides in core; for the owner it says here where the account went that was known. */
async function conclude(
  { candidates, chainHints }: ProofTexts,
  owner: string | undefined,
  evidence: readonly Evidence[],
  { login, accountId, net, signal }: Look,
): Promise<Publication> {
  const found = {
    status: "found",
    candidates: candidates.map(({ text, foundAt }) => ({ text, foundAt })),
    chainHints,
    ...(owner === undefined ? {} : { accountId: owner }),
  } as const
  if (owner === undefined || accountId === undefined || accountId === owner) return { ...found, evidence }
  const now = await findAccount({ login, accountId }, net, signal)
  const note = `${login} is account ${owner} now; account ${accountId} was proven before`
  const [first, ...others] = evidence
  return { ...found, evidence: [...(first === undefined ? [] : [{ ...first, note }]), ...others, ...now.evidence] }
}

/** The list's own evidence, with a sentence about all of it. */
function withSummary(look: GistsLook, login: string, times: Times): readonly Evidence[] {
  const [first, ...others] = look.evidence
  return first === undefined ? [] : [{ ...first, note: summarize(look, login, times) }, ...others]
}

interface Times {
  readonly now: number
  readonly claimedAt: number | undefined
}

function summarize(look: GistsLook, login: string, { now, claimedAt }: Times): string {
  const { gists, fileCount, texts } = look
  const newest = Math.max(0, ...gists.map(({ updatedAt }) => updatedAt))
  const isOld = claimedAt !== undefined && newest < claimedAt
  const secret = isOld ? "; no public gist is newer than this claim: is it secret?" : ""
  if (gists.length === 0) return `${login} has no public gist${secret}`
  const count = gists.length === 1 ? "1 public gist" : `${formatCount(gists.length)} public gists`
  const age = `newest ${formatAge(now - newest)} old`
  const part = texts.length < fileCount ? `${texts.length} of ${formatCount(fileCount)} files in ` : ""
  return `looked at ${part}${count} of ${login}, ${age}, none has a KEZ block${secret}`
}

function formatAge(seconds: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400, "days"],
    [3_600, "h"],
    [60, "min"],
  ]
  const age = Math.max(0, seconds)
  const [size, unit] = units.find(([size]) => age >= size) ?? [1, "s"]
  const count = Math.floor(age / size)
  return `${formatCount(count)} ${count === 1 && unit === "days" ? "day" : unit}`
}
