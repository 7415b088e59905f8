/** The content of gist files: from the API, which says whether it counts, and from the raw host, which costs no quota. SPEC §7.3 [GH-5]. */
import { KezError } from "@kez/core"
import { decodeUtf8 } from "./body.ts"
import type { Evidence, Net } from "./channel.ts"
import { textAt, valueAt } from "./foreign-json.ts"
import { apiUrl, askApi, isSameLogin, readOwner, refusalOf, refusalOfError, shownName } from "./github-api.ts"
import { type Gist, type GistFile, readRawUrl } from "./github-gists.ts"
import { isLimited, join, nothingRead, type Reading, refusedReading, textReading } from "./github-reading.ts"
import { githubLimits } from "./limits.ts"
import { describeFetch } from "./publication.ts"

export interface Through {
  readonly net: Net
  readonly signal: AbortSignal
}

/**
 * Files as the raw host gives them, a few at once, in their order. It does not say whether their gist counts.
 * Throws only the signal's reason.
 */
export async function scanFiles(files: readonly GistFile[], through: Through): Promise<Reading> {
  let reading = nothingRead
  for (let at = 0; at < files.length; at += githubLimits.maxFilesAtOnce) {
    const some = files.slice(at, at + githubLimits.maxFilesAtOnce)
    const readings = await Promise.all(
      some.map((file) => (file.rawUrl === undefined ? nothingRead : readRaw(file, file.rawUrl, through))),
    )
    reading = readings.reduce(join, reading)
    if (isLimited(reading)) return reading
  }
  return reading
}

async function readRaw(file: GistFile, url: string, { net, signal }: Through): Promise<Reading> {
  const about = `file ${shownName(file.name)}`
  try {
    const maxBodyBytes = githubLimits.maxFileBytes
    const answer = await net.fetch(url, { signal, accept: ["text/plain"], sameHost: true, maxBodyBytes })
    const refusal = refusalOf(answer, false)
    if (refusal !== undefined) return refusedReading(refusal, about)
    return textReading(file, decodeUtf8(answer.body, answer.headers["content-type"]), describeFetch(answer))
  } catch (error) {
    return refusedReading(refusalOfError(error, { url, fetchedAt: net.now() }, false), about)
  }
}

/** Files of one gist that the API vouches for: the account's own, public, and no fork. Throws only the signal's reason. */
export async function confirmFiles(gist: Gist, files: readonly GistFile[], through: Through): Promise<Reading> {
  const { maxListWireBytes: maxWireBytes, maxListBodyBytes: maxBodyBytes } = githubLimits
  const { net, signal } = through
  const asked = await askApi(net, `${apiUrl}/gists/${gist.id}`, { signal, maxWireBytes, maxBodyBytes })
  if (!asked.ok) return refusedReading(asked.refusal, `gist ${gist.id}`)
  const { value, evidence } = asked
  const fault = faultOf(value, gist)
  if (fault !== undefined) return { ...nothingRead, evidence: [{ ...evidence, ...fault }] }
  let reading = nothingRead
  for (const file of files) {
    reading = join(reading, await readListed(file, valueAt(value, "files", file.name), evidence, through))
    if (isLimited(reading)) return reading
  }
  return reading.evidence.length > 0 ? reading : { ...nothingRead, evidence: [evidence] }
}

/** Why nothing in a gist counts. A fork holds what somebody else wrote, whatever its owner did to it since. */
function faultOf(value: unknown, { id, owner }: Gist): Pick<Evidence, "note" | "code"> | undefined {
  const now = readOwner(valueAt(value, "owner"))
  if (now?.id !== owner.id || !isSameLogin(now.login, owner.login) || textAt(value, "id") !== id) {
    return { code: "account.owner", note: `gist ${id} belongs to another account` }
  }
  if (valueAt(value, "public") !== true) return { note: `gist ${id} is not public` }
  if ((valueAt(value, "fork_of") ?? null) === null) return undefined
  return { note: `gist ${id} is a fork; a fork does not count: make a new gist` }
}

/** `shown`: the file as the answer has it. One that is cut there stands whole at the raw host. */
async function readListed(file: GistFile, shown: unknown, seen: Evidence, through: Through): Promise<Reading> {
  const content = textAt(shown, "content")
  if (valueAt(shown, "truncated") === true || content === undefined) {
    const rawUrl = readRawUrl(textAt(shown, "raw_url"), file.gist)
    return rawUrl === undefined ? nothingRead : readRaw(file, rawUrl, through)
  }
  const isText = (textAt(shown, "encoding") ?? "utf-8") === "utf-8"
  if (!isText || Buffer.byteLength(content) > githubLimits.maxFileBytes) return nothingRead
  return textReading(file, content, seen)
}

/** Base64 of the API: lines of it. Throws `text.utf8`, `net.content_type` for what is no base64. */
export function decodeContent(content: string, url: string): string {
  const plain = content.replaceAll("\n", "")
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) {
    throw new KezError("net.content_type", `Cannot read ${url}: expected base64, got other characters`)
  }
  return decodeUtf8(Buffer.from(plain, "base64"))
}
