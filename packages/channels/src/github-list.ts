/** A look through the public gists of a GitHub account, page by page, likely ones first. SPEC §7.3 [GH-3] [GH-4] [GH-5]. */
import { apiUrl, askApi, type Owner, type Refusal } from "./github-api.ts"
import { confirmFiles, scanFiles, type Through } from "./github-files.ts"
import { chooseFiles, type Gist, noteForeign, readGistPage, sortFiles, sortNamed } from "./github-gists.ts"
import { hasProof, isLimited, join, nothingRead, type Reading } from "./github-reading.ts"
import { githubLimits } from "./limits.ts"

export interface GistsLook extends Reading {
  /** Why there is no list at all. */
  readonly refusal: Refusal | undefined
  readonly owner: Owner | undefined
  readonly gists: readonly Gist[]
  /** Files in those gists. */
  readonly fileCount: number
  /** Whether more gists look like a proof than were asked for. */
  readonly isCut: boolean
}

/** Looks until a proof is found. Throws only the signal's reason. */
export async function lookAtGists(login: string, through: Through): Promise<GistsLook> {
  const gists: Gist[] = []
  const asked = new Set<Gist>()
  let owner: Owner | undefined
  let reading = nothingRead
  let bytesLeft: number = githubLimits.maxTotalBytes
  const conclude = (more: { readonly refusal?: Refusal; readonly isCut?: boolean } = {}): GistsLook => {
    const fileCount = gists.flatMap(({ files }) => files).length
    return { ...reading, refusal: undefined, isCut: false, owner, gists, fileCount, ...more }
  }

  let url: string | undefined = `${apiUrl}/users/${login}/gists?per_page=100`
  for (let page = 0; page < githubLimits.maxPages && url !== undefined; page += 1) {
    const { maxListWireBytes: maxWireBytes, maxListBodyBytes: maxBodyBytes } = githubLimits
    const list = await askApi(through.net, url, { signal: through.signal, maxWireBytes, maxBodyBytes })
    if (!list.ok) {
      if (page === 0) return conclude({ refusal: list.refusal })
      const trouble = list.refusal.status === "unreachable" ? list.refusal : undefined
      reading = join(reading, { texts: [], evidence: list.refusal.evidence, trouble })
      break
    }
    const found = readGistPage(list.value, login, owner)
    owner = found.owner
    gists.push(...found.gists)
    const evidence = [list.evidence, ...noteForeign(list.evidence, found.foreign)]
    reading = join(reading, { ...nothingRead, evidence })
    for (const gist of sortNamed(found.gists)) {
      if (asked.size === githubLimits.maxNamedGists) break
      const files = chooseFiles(sortFiles(gist.files), githubLimits.maxFilesPerGist, bytesLeft)
      if (files.length === 0) continue
      bytesLeft -= sizeOf(files)
      asked.add(gist)
      reading = join(reading, await confirmFiles(gist, files, through))
      if (isLimited(reading)) return conclude()
    }
    if (hasProof(reading)) return conclude()
    url = readNext(list.answer.headers["link"])
  }
  if (isLimited(reading)) return conclude()
  const others = await lookAtOthers(
    gists.filter((gist) => !asked.has(gist)),
    bytesLeft,
    through,
  )
  reading = join(reading, others)
  return conclude({ isCut: others.isCut })
}

/** The raw host finds what looks like a proof, the API says whether it is the account's. */
async function lookAtOthers(
  gists: readonly Gist[],
  maxBytes: number,
  through: Through,
): Promise<Reading & { readonly isCut: boolean }> {
  const newestFirst = gists.toSorted((a, b) => b.updatedAt - a.updatedAt).flatMap(({ files }) => files)
  const files = chooseFiles(sortFiles(newestFirst), githubLimits.maxOtherFiles, maxBytes)
  const scan = await scanFiles(files, through)
  const likely = new Set(scan.texts.filter((one) => hasProof({ texts: [one] })).map(({ file }) => file.gist))
  const unread = files.filter(({ rawUrl }) => rawUrl === undefined).map(({ gist }) => gist)
  // What looks like a proof there counts only as the API gives it.
  let reading: Reading = { ...scan, texts: scan.texts.filter(({ file }) => !likely.has(file.gist)) }
  if (isLimited(reading)) return { ...reading, isCut: false }
  for (const gist of [...new Set([...likely, ...unread])].slice(0, githubLimits.maxConfirmedGists)) {
    const own = files.filter((file) => file.gist === gist && (likely.has(gist) || file.rawUrl === undefined))
    reading = join(reading, await confirmFiles(gist, own, through))
    if (isLimited(reading)) break
  }
  return { ...reading, isCut: likely.size > githubLimits.maxConfirmedGists }
}

function sizeOf(files: readonly { readonly size: number }[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

/** The URL of the next page, if it is one of this API's. RFC 8288 §3. */
export function readNext(link: string | undefined): string | undefined {
  const text = /<([^<>]{1,1000})>\s*;\s*rel="next"/.exec(link ?? "")?.[1]
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.origin === apiUrl && url.username === "" && url.password === "" ? url.href : undefined
}
