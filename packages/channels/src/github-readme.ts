/** The profile README of a GitHub account, in its repository of its own name. SPEC §7.3 [GH-6]. */
import type { Evidence, Net } from "./channel.ts"
import { integerAt, textAt, valueAt } from "./foreign-json.ts"
import {
  apiUrl,
  askApi,
  isSameLogin,
  type Owner,
  type Refusal,
  readOwner,
  refusalOfError,
  shownName,
} from "./github-api.ts"
import { decodeContent } from "./github-files.ts"
import type { Trouble } from "./github-reading.ts"
import { githubLimits } from "./limits.ts"
import { notesOnTexts } from "./near-miss.ts"

export interface ReadmeLook {
  readonly text: string | undefined
  readonly foundAt: string
  /** Whose the repository is, if it is the account's. */
  readonly owner: Owner | undefined
  readonly evidence: readonly Evidence[]
  readonly trouble: Trouble | undefined
}

/**
 * Reads the README. `owner`: the account whose gists were seen, which has to be the repository's too.
 * Throws only the signal's reason.
 */
export async function lookAtReadme(
  login: string,
  owner: Owner | undefined,
  { net, signal }: { readonly net: Net; readonly signal: AbortSignal },
): Promise<ReadmeLook> {
  const place = `${login}/${login}`
  const nothing: ReadmeLook = {
    text: undefined,
    foundAt: `https://github.com/${place}`,
    owner: undefined,
    evidence: [],
    trouble: undefined,
  }
  const repo = await askApi(net, `${apiUrl}/repos/${place}`, { signal })
  if (!repo.ok) return { ...nothing, ...refused(repo.refusal, `${login} has no repository ${place}`) }
  const whose = judgeRepo(repo.value, login, owner)
  if ("note" in whose) return { ...nothing, evidence: [{ ...repo.evidence, ...whose }] }
  const known = { ...nothing, owner: whose.owner }
  const url = `${apiUrl}/repos/${place}/readme`
  const readme = await askApi(net, url, { signal })
  if (!readme.ok) {
    const { evidence, trouble } = refused(readme.refusal, `repository ${place} has no README`)
    return { ...known, evidence: [repo.evidence, ...evidence], trouble }
  }
  try {
    const text = readReadme(readme.value, url)
    // A redirect would mean that the repository changed hands after it was looked at.
    if (text === undefined || !isSameLogin(readme.answer.url, url)) {
      return {
        ...known,
        evidence: [repo.evidence, { ...readme.evidence, note: `README of ${place} is not a file to read` }],
      }
    }
    const note = [`README of ${place}`, ...notesOnTexts([text])].join("; ")
    return { ...known, text, evidence: [repo.evidence, { ...readme.evidence, note }] }
  } catch (error) {
    const refusal = refusalOfError(error, readme.evidence, false)
    return { ...known, ...refused(refusal, ""), evidence: [repo.evidence, ...refusal.evidence] }
  }
}

function refused(refusal: Refusal, missing: string): Pick<ReadmeLook, "evidence" | "trouble"> {
  if (refusal.status === "unreachable") return { evidence: refusal.evidence, trouble: refusal }
  const note = refusal.status === "absent" ? { note: missing } : {}
  return { evidence: refusal.evidence.map((one) => ({ ...one, ...note })), trouble: undefined }
}

type RepoVerdict = { readonly owner: Owner } | { readonly note: string; readonly code?: "account.owner" }

/** The repository that answered may be another than the one asked for: renamed, or given to somebody else. */
function judgeRepo(value: unknown, login: string, known: Owner | undefined): RepoVerdict {
  const owner = readOwner(valueAt(value, "owner"))
  const name = textAt(value, "name") ?? ""
  if (owner === undefined) return { note: "the answer names no owner" }
  if (!isSameLogin(owner.login, login) || (known !== undefined && known.id !== owner.id)) {
    const note = `repository ${login}/${login} belongs to ${shownName(owner.login)} now, account ${owner.id}`
    return { note, code: "account.owner" }
  }
  if (owner.type !== "User") return { note: `${login} is no person's account: its README is not looked at` }
  if (!isSameLogin(name, login)) return { note: `repository ${login}/${login} is named ${shownName(name)} now` }
  if (valueAt(value, "private") !== false)
    return { note: `repository ${login}/${login} is private: nobody else sees it` }
  if (valueAt(value, "fork") !== false) return { note: `repository ${login}/${login} is a copy of another's` }
  return { owner }
}

function readReadme(value: unknown, url: string): string | undefined {
  const content = textAt(value, "content")
  const isFile = textAt(value, "type") === "file" && textAt(value, "encoding") === "base64"
  const size = integerAt(value, "size") ?? 0
  if (!isFile || content === undefined || size > githubLimits.maxFileBytes) return undefined
  if (content.length > githubLimits.maxFileBytes * 1.5) return undefined
  return decodeContent(content, url)
}
