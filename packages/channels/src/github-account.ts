/** Where a GitHub account is now that was proven under some name. SPEC §7.3 [GH-8]. */
import type { Evidence, Net, Publication } from "./channel.ts"
import { apiUrl, askApi, isSameLogin, readOwner } from "./github-api.ts"

/** What is asked: the name looked at, and the number that was proven under it. */
export interface Known {
  readonly login: string
  readonly accountId: string
}

export interface Whereabouts {
  /** Undefined where GitHub does not say. */
  readonly login: string | undefined
  readonly evidence: readonly Evidence[]
}

/** The present login of the account that was proven. Throws only the signal's reason. */
export async function findAccount({ login, accountId }: Known, net: Net, signal: AbortSignal): Promise<Whereabouts> {
  if (!/^[1-9]\d{0,15}$/.test(accountId)) return { login: undefined, evidence: [] }
  const asked = await askApi(net, `${apiUrl}/user/${accountId}`, { signal })
  if (!asked.ok) {
    const note = `GitHub does not say where account ${accountId} is, which was proven as ${login}`
    return { login: undefined, evidence: asked.refusal.evidence.map((one) => ({ ...one, note: one.note ?? note })) }
  }
  const owner = readOwner(asked.value)
  const now = owner?.id === accountId ? owner.login : undefined
  if (now === undefined || isSameLogin(now, login)) return { login: now, evidence: [asked.evidence] }
  const note = `account ${accountId}, which was proven as ${login}, is named ${now} now: github:${now.toLowerCase()}`
  return { login: now, evidence: [{ ...asked.evidence, note }] }
}

/**
 * What an absence means to one who has seen the account before. `owner`: the number that has the name now, if it was seen;
 * `exists`: whether anybody has it.
 */
export async function explainAbsence(
  absence: Extract<Publication, { status: "absent" }>,
  known: Known & { readonly owner: string | undefined; readonly exists: boolean },
  { net, signal }: { readonly net: Net; readonly signal: AbortSignal },
): Promise<Publication> {
  if (known.owner === known.accountId) return absence
  const now = await findAccount(known, net, signal)
  const evidence = [...absence.evidence, ...now.evidence]
  const isElsewhere = now.login !== undefined && !isSameLogin(now.login, known.login)
  if (!known.exists && isElsewhere) return { status: "invalid", code: "account.renamed", evidence }
  const isTaken = known.owner !== undefined || (known.exists && isElsewhere)
  if (isTaken) return { status: "invalid", code: "account.changed", evidence }
  return { ...absence, evidence }
}
