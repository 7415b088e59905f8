/** The content of gist files: from the raw host, which costs no API quota, else from the API. SPEC §7.3 [GH-5]. */
import { KezError } from "@kez/core"
import { decodeUtf8 } from "./body.ts"
import type { Candidate, Evidence, Net } from "./channel.ts"
import { textAt, valueAt } from "./foreign-json.ts"
import {
  apiUrl,
  askApi,
  isSameLogin,
  type Refusal,
  readOwner,
  refusalOf,
  refusalOfError,
  shownName,
} from "./github-api.ts"
import { type Gist, type GistFile, isNamed, pageOf } from "./github-gists.ts"
import { githubLimits } from "./limits.ts"
import { notesOnTexts } from "./near-miss.ts"
import { pickProofTexts } from "./proof-texts.ts"
import { describeFetch } from "./publication.ts"

/** What reading came to. `trouble`: something that might have held a proof did not answer. */
export interface Reading {
  readonly texts: readonly FileText[]
  readonly evidence: readonly Evidence[]
  readonly trouble: Trouble | undefined
}

export type Trouble = Extract<Refusal, { status: "unreachable" }>

export interface FileText extends Candidate {
  readonly file: GistFile
}

export const nothingRead: Reading = { texts: [], evidence: [], trouble: undefined }

/** Reads the files, a few at once, in their order. Throws only the signal's reason. */
export async function readFiles(files: readonly GistFile[], net: Net, signal: AbortSignal): Promise<Reading> {
  let reading = nothingRead
  for (let at = 0; at < files.length; at += githubLimits.maxFilesAtOnce) {
    const some = files.slice(at, at + githubLimits.maxFilesAtOnce)
    const readings = await Promise.all(
      some.map((file) => (file.rawUrl === undefined ? nothingRead : readRaw(file, file.rawUrl, net, signal))),
    )
    reading = readings.reduce(join, reading)
    if (isLimited(reading)) return reading
  }
  const misplaced = new Set(files.filter(({ rawUrl }) => rawUrl === undefined).map(({ gist }) => gist))
  for (const gist of [...misplaced].slice(0, githubLimits.maxGistsByApi)) {
    const chosen = files.filter((file) => file.gist === gist && file.rawUrl === undefined)
    reading = join(reading, await readByApi(gist, chosen, { net, signal }))
  }
  return reading
}

/** Whether GitHub asked to wait: nothing more is asked of it then. [GH-2] */
export function isLimited({ trouble }: Reading): boolean {
  return trouble?.code === "net.rate_limit"
}

export function join(one: Reading, other: Reading): Reading {
  return {
    texts: [...one.texts, ...other.texts],
    evidence: [...one.evidence, ...other.evidence],
    trouble: isLimited(other) ? other.trouble : (one.trouble ?? other.trouble),
  }
}

async function readRaw(file: GistFile, url: string, net: Net, signal: AbortSignal): Promise<Reading> {
  try {
    const maxBodyBytes = githubLimits.maxFileBytes
    const answer = await net.fetch(url, { signal, accept: ["text/plain"], sameHost: true, maxBodyBytes })
    const refusal = refusalOf(answer, false)
    if (refusal !== undefined) return readingOf(file, refusal)
    return textReading(file, decodeUtf8(answer.body, answer.headers["content-type"]), describeFetch(answer))
  } catch (error) {
    return readingOf(file, refusalOfError(error, { url, fetchedAt: net.now() }, false))
  }
}

interface Through {
  readonly net: Net
  readonly signal: AbortSignal
}

/** One answer holds all files of a gist, and says again whose it is. */
async function readByApi(gist: Gist, files: readonly GistFile[], { net, signal }: Through): Promise<Reading> {
  const asked = await askApi(net, `${apiUrl}/gists/${gist.id}`, { signal })
  if (!asked.ok) return asked.refusal.status === "unreachable" ? troubled(asked.refusal) : seenOnly(asked.refusal)
  const { value, evidence } = asked
  const owner = readOwner(valueAt(value, "owner"))
  const isOwn = owner?.id === gist.owner.id && isSameLogin(owner.login, gist.owner.login)
  if (!isOwn || textAt(value, "id") !== gist.id || valueAt(value, "public") !== true) {
    const note = `gist ${gist.id} belongs to another account`
    return { ...nothingRead, evidence: [{ ...evidence, code: "account.owner", note }] }
  }
  if ((valueAt(value, "fork_of") ?? null) !== null) {
    return { ...nothingRead, evidence: [{ ...evidence, note: `gist ${gist.id} is a copy of another's` }] }
  }
  const readings = files.map((file) => {
    const content = textAt(value, "files", file.name, "content")
    const isWhole = content !== undefined && valueAt(value, "files", file.name, "truncated") !== true
    const fits = isWhole && Buffer.byteLength(content) <= githubLimits.maxFileBytes
    return fits ? textReading(file, content, evidence) : { ...nothingRead, evidence: [evidence] }
  })
  return readings.reduce(join, nothingRead)
}

function textReading(file: GistFile, text: string, seen: Evidence): Reading {
  const name = shownName(file.name)
  const { candidates } = pickProofTexts([{ text, foundAt: "" }])
  const notes = notesOnTexts([text])
  const miss = candidates.length > 0 || !isNamed(file) ? [] : [noteOnNamed(file)]
  const note = [`file ${name}`, ...notes, ...(notes.length > 0 ? [] : miss)].join("; ")
  return { texts: [{ text, foundAt: pageOf(file.gist), file }], evidence: [{ ...seen, note }], trouble: undefined }
}

function noteOnNamed({ name, gist }: GistFile): string {
  const where = /kez/i.test(name) ? "its name" : "the description of its gist"
  return `${where} says kez, its content has no KEZ block (${pageOf(gist)})`
}

/** A file that is gone, or may not be used, is no proof; one that did not answer may be. */
function readingOf(file: GistFile, refusal: Refusal): Reading {
  const name = `file ${shownName(file.name)}`
  const evidence = refusal.evidence.map((one) => ({
    ...one,
    note: one.note === undefined ? name : `${name}: ${one.note}`,
  }))
  const named = { ...refusal, evidence }
  return named.status === "unreachable" ? troubled(named) : seenOnly(named)
}

function troubled(trouble: Trouble): Reading {
  return { texts: [], evidence: trouble.evidence, trouble }
}

function seenOnly({ evidence }: Refusal): Reading {
  return { ...nothingRead, evidence }
}

/** Base64 of the API: lines of it. Throws `text.utf8`, `net.content_type` for what is no base64. */
export function decodeContent(content: string, url: string): string {
  const plain = content.replaceAll("\n", "")
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) {
    throw new KezError("net.content_type", `Cannot read ${url}: expected base64, got other characters`)
  }
  return decodeUtf8(Buffer.from(plain, "base64"))
}
