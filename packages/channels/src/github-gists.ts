/** Public gists of a GitHub account: whose they are, and which of their files are worth reading. SPEC §7.3 [GH-3] [GH-4]. */
import type { Evidence } from "./channel.ts"
import { integerAt, listAt, textAt, valueAt } from "./foreign-json.ts"
import { isSameLogin, type Owner, readOwner } from "./github-api.ts"
import { githubLimits, maxUrlBytes } from "./limits.ts"

const rawHost = "gist.githubusercontent.com"

export interface GistFile {
  readonly gist: Gist
  readonly name: string
  /** Bytes, by the list. */
  readonly size: number
  /** Undefined where the list names a place that is not the gist's own. */
  readonly rawUrl: string | undefined
}

export interface Gist {
  readonly id: string
  readonly owner: Owner
  readonly description: string
  /** Unix seconds. */
  readonly updatedAt: number
  readonly isPublic: boolean
  readonly files: readonly GistFile[]
}

/** The gists of one page, and what stands there that is not the account's. */
export interface GistPage {
  readonly gists: readonly Gist[]
  readonly owner: Owner | undefined
  /** Ids of gists that belong to another account. */
  readonly foreign: readonly string[]
}

/** Reads a page of the list. Every gist belongs to the login, and all of them to one account: `owner`, or the first. [GH-3] */
export function readGistPage(value: unknown, login: string, known: Owner | undefined): GistPage {
  const gists: Gist[] = []
  const foreign: string[] = []
  let owner = known
  for (const one of listAt(value)) {
    const gist = readGist(one)
    if (gist === undefined) continue
    owner ??= isSameLogin(gist.owner.login, login) ? gist.owner : undefined
    if (!isSameLogin(gist.owner.login, login) || gist.owner.id !== owner?.id) foreign.push(gist.id)
    else if (gist.isPublic) gists.push(gist)
  }
  gists.sort((a, b) => b.updatedAt - a.updatedAt)
  return { gists, owner, foreign }
}

/** Undefined for what is no gist. */
export function readGist(value: unknown): Gist | undefined {
  const id = textAt(value, "id")
  const owner = readOwner(valueAt(value, "owner"))
  if (id === undefined || !/^[0-9A-Za-z]{1,64}$/.test(id) || owner === undefined) return undefined
  const updated = Date.parse(textAt(value, "updated_at") ?? "") / 1000
  const files: GistFile[] = []
  const gist: Gist = {
    id,
    owner,
    description: textAt(value, "description") ?? "",
    updatedAt: Number.isFinite(updated) ? updated : 0,
    isPublic: valueAt(value, "public") === true,
    files,
  }
  for (const file of Object.values(valueAt(value, "files") ?? {})) {
    const name = textAt(file, "filename")
    const size = integerAt(file, "size")
    if (name === undefined || size === undefined || size < 0) continue
    files.push({ gist, name, size, rawUrl: readRawUrl(textAt(file, "raw_url"), gist) })
  }
  return gist
}

/** The place is the gist's own only if host, login and gist id are all in it where they belong. [GH-5] */
export function readRawUrl(text: string | undefined, { id, owner }: Pick<Gist, "id" | "owner">): string | undefined {
  if (text === undefined || text.length > maxUrlBytes || !URL.canParse(text)) return undefined
  const url = new URL(text)
  const [, user = "", gist, raw] = url.pathname.split("/")
  const isOwn = url.protocol === "https:" && url.host === rawHost && url.username === "" && url.password === ""
  return isOwn && isSameLogin(user, owner.login) && gist === id && raw === "raw" ? text : undefined
}

/** Whether a file is likely a proof: it, or its gist, says so. */
export function isNamed({ name, gist }: GistFile): boolean {
  return /kez/i.test(name) || /kez/i.test(gist.description)
}

/** The first files of the list that fit: not empty, not too large alone or together. [GH-4] */
export function chooseFiles(files: readonly GistFile[], maxFiles: number, maxBytes: number): readonly GistFile[] {
  const chosen: GistFile[] = []
  let bytes = 0
  for (const file of files) {
    if (chosen.length === maxFiles) break
    if (file.size === 0 || file.size > githubLimits.maxFileBytes || bytes + file.size > maxBytes) continue
    chosen.push(file)
    bytes += file.size
  }
  return chosen
}

/** Files whose own name says kez, then those of which the gist's description does, then the rest. */
export function sortFiles(files: readonly GistFile[]): readonly GistFile[] {
  return files.toSorted((a, b) => weigh(a) - weigh(b))
}

/** Gists of which a file, or the description, says kez: those with such a file first. [GH-4] */
export function sortNamed(gists: readonly Gist[]): readonly Gist[] {
  const weighGist = ({ files }: Gist): number => (files.some((file) => weigh(file) === 0) ? 0 : 1)
  return gists.filter(({ files }) => files.some(isNamed)).toSorted((a, b) => weighGist(a) - weighGist(b))
}

function weigh(file: GistFile): number {
  if (/kez/i.test(file.name)) return 0
  return isNamed(file) ? 1 : 2
}

/** The page of a gist, where people can look at it. */
export function pageOf({ owner, id }: Gist): string {
  return `https://gist.github.com/${owner.login}/${id}`
}

/** What stands in the list and belongs to somebody else. */
export function noteForeign(seen: Evidence, foreign: readonly string[]): readonly Evidence[] {
  return foreign
    .slice(0, 4)
    .map((id) => ({ ...seen, code: "account.owner", note: `gist ${id} belongs to another account` }))
}
