/** A look through the public gists of a GitHub account, page by page, likely files first. SPEC §7.3 [GH-3] [GH-4]. */
import type { Net } from "./channel.ts"
import { apiUrl, askApi, type Owner, type Refusal } from "./github-api.ts"
import { isLimited, join, nothingRead, type Reading, readFiles } from "./github-files.ts"
import { chooseFiles, type Gist, type GistFile, isNamed, noteForeign, readGistPage, sortNamed } from "./github-gists.ts"
import { githubLimits } from "./limits.ts"
import { pickProofTexts } from "./proof-texts.ts"

export interface GistsLook extends Reading {
  /** Why there is no list at all. */
  readonly refusal: Refusal | undefined
  readonly owner: Owner | undefined
  readonly gists: readonly Gist[]
  /** Files in those gists. */
  readonly fileCount: number
  /** Whether gists of another account stood in the list. */
  readonly isForeign: boolean
}

/** Looks until a proof is found. Throws only the signal's reason. */
export async function lookAtGists(
  login: string,
  { net, signal }: { readonly net: Net; readonly signal: AbortSignal },
): Promise<GistsLook> {
  const gists: Gist[] = []
  let owner: Owner | undefined
  let reading = nothingRead
  let isForeign = false
  let namedLeft = githubLimits.maxNamedFiles
  let bytesLeft = githubLimits.maxTotalBytes
  const summary = () => ({ owner, gists, fileCount: gists.flatMap(({ files }) => files).length, isForeign })

  async function read(files: readonly GistFile[], maxFiles: number): Promise<Reading> {
    const chosen = chooseFiles(files, maxFiles, bytesLeft)
    bytesLeft -= chosen.reduce((sum, { size }) => sum + size, 0)
    const read = await readFiles(chosen, net, signal)
    reading = join(reading, read)
    namedLeft -= chosen.length
    return read
  }

  let url: string | undefined = `${apiUrl}/users/${login}/gists?per_page=100`
  for (let page = 0; page < githubLimits.maxPages && url !== undefined; page += 1) {
    const { maxListWireBytes: maxWireBytes, maxListBodyBytes: maxBodyBytes } = githubLimits
    const asked = await askApi(net, url, { signal, maxWireBytes, maxBodyBytes })
    if (!asked.ok) {
      if (page === 0) return { ...nothingRead, refusal: asked.refusal, ...summary() }
      const trouble = asked.refusal.status === "unreachable" ? asked.refusal : undefined
      reading = join(reading, { texts: [], evidence: asked.refusal.evidence, trouble })
      break
    }
    const found = readGistPage(asked.value, login, owner)
    owner = found.owner
    gists.push(...found.gists)
    isForeign ||= found.foreign.length > 0
    reading = join(reading, {
      ...nothingRead,
      evidence: [asked.evidence, ...noteForeign(asked.evidence, found.foreign)],
    })
    const named = await read(sortNamed(found.gists.flatMap(({ files }) => files)), namedLeft)
    if (hasProof(named)) return { ...reading, refusal: undefined, ...summary() }
    if (isLimited(reading)) return { ...reading, refusal: undefined, ...summary() }
    url = readNext(asked.answer.headers["link"])
  }
  if (isLimited(reading)) return { ...reading, refusal: undefined, ...summary() }
  const newestFirst = gists.toSorted((a, b) => b.updatedAt - a.updatedAt).flatMap(({ files }) => files)
  await read(
    newestFirst.filter((file) => !isNamed(file)),
    githubLimits.maxOtherFiles,
  )
  return { ...reading, refusal: undefined, ...summary() }
}

function hasProof({ texts }: Reading): boolean {
  return pickProofTexts(texts).candidates.length > 0
}

/** The URL of the next page, if it is one of this API's. RFC 8288 §3. */
export function readNext(link: string | undefined): string | undefined {
  const text = /<([^<>]{1,1000})>\s*;\s*rel="next"/.exec(link ?? "")?.[1]
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.origin === apiUrl && url.username === "" && url.password === "" ? url.href : undefined
}
