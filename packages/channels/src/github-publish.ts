/** Publishing at GitHub: one public gist with the file kez.md. SPEC §7.3 [GH-9]. */
import { findProofs, formatIdentity, KezError, type Proof, parseIdentity } from "@kez/core"
import type { Net } from "./channel.ts"
import { parseForeign } from "./foreign-json.ts"
import { apiUrl, shownName } from "./github-api.ts"
import { confirmFiles, scanFiles, type Through } from "./github-files.ts"
import {
  chooseFiles,
  type Gist,
  type GistFile,
  isNamed,
  pageOf,
  readGist,
  sortFiles,
  sortNamed,
} from "./github-gists.ts"
import type { FileText, Reading } from "./github-reading.ts"
import { lookAtReadme } from "./github-readme.ts"
import { assertToken, listOwnGists, type Session, send, signIn } from "./github-write.ts"
import { githubLimits } from "./limits.ts"
import { isProofDocument } from "./proof-removal.ts"
import {
  assertKnownAccount,
  type PlaceOutcome,
  type Publisher,
  type PublishRequest,
  type PublishResult,
  type UnpublishRequest,
  unchangedNote,
} from "./publisher.ts"

const fileName = "kez.md"
/** The API lists no more files of one gist: what it does not list may be anything. */
const maxListedFiles = 300

export const githubPublisher: Publisher = {
  system: "github",
  credential: "token",
  places: [{ name: "gist", about: `a public gist with the file ${fileName}`, form: "markdown" }],
  publish,
  unpublish,
}

async function publish(request: PublishRequest, net: Net, signal: AbortSignal): Promise<PublishResult> {
  const { value: login } = request
  const session: Session = { net, token: assertToken(request.credentials.secret), signal }
  const owner = await signIn(session, login)
  assertKnownAccount(`github:${login}`, request, owner.id)
  const earlier = await findEarlier(session, login, await listOwnGists(session, owner))
  const content = await request.makeText(owner.id)
  assertFits(content)
  const description = `KEZ claim: github:${login}`
  if (earlier !== undefined) {
    const { gist, name } = earlier.file
    if (earlier.text === content) return { outcomes: [{ url: pageOf(gist), accepted: true, note: unchangedNote }] }
    const url = `${apiUrl}/gists/${gist.id}`
    await send(session, url, { method: "PATCH", body: { description, files: { [name]: { content } } } })
    return { outcomes: [{ url: pageOf(gist), accepted: true, note: "the earlier proof there was replaced" }] }
  }
  const body = { description, public: true, files: { [fileName]: { content } } }
  const made = readGist(parseForeign(await send(session, `${apiUrl}/gists`, { method: "POST", body })))
  if (made === undefined || made.owner.id !== owner.id || !made.isPublic) {
    throw new KezError("publish.refused", "Cannot publish at GitHub: expected a public gist, got another answer")
  }
  return { outcomes: [{ url: pageOf(made), accepted: true }] }
}

function assertFits(content: string): void {
  const bytes = Buffer.byteLength(content)
  const most = githubLimits.maxFileBytes
  if (bytes <= most) return
  throw new KezError("publish.too_long", `Cannot publish at GitHub: expected at most ${most} bytes, got ${bytes}`)
}

/** The newest public file that proves the same account already. In a fork no proof counts, so none is put there. */
async function findEarlier(session: Session, login: string, gists: readonly Gist[]): Promise<FileText | undefined> {
  const isPublic = gists.filter((gist) => gist.isPublic)
  for (const gist of sortNamed(isPublic).slice(0, githubLimits.maxNamedGists)) {
    const named = sortFiles(gist.files.filter(isNamed))
    const files = chooseFiles(named, githubLimits.maxFilesPerGist, githubLimits.maxTotalBytes)
    const texts = assertRead(await confirmFiles(gist, files, asOwner(session)))
    const isOld = (proof: string): boolean => provesAccount(proof, login)
    // What stands beside an earlier proof, other claims too, would be lost with it.
    const earlier = texts.find(({ text }) => isOld(text) && isProofDocument(text, isOld))
    if (earlier !== undefined) return earlier
  }
  return undefined
}

/** Reads with the owner's token, whatever token the reader has. */
function asOwner({ net, token, signal }: Session): Through {
  return { net: { ...net, settings: { ...net.settings, githubToken: token } }, signal }
}

/** Without having read what is there, another proof would be added to it. */
function assertRead({ trouble, texts }: Reading): readonly FileText[] {
  if (trouble === undefined) return texts
  throw new KezError(
    trouble.code,
    "Cannot change gists at GitHub: expected to read those that are there, got no answer",
  )
}

function provesAccount(text: string, login: string): boolean {
  try {
    return findProofs(text).candidates.some((one) => "proof" in one && subjectOf(one.proof) === `github:${login}`)
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

function subjectOf(proof: Proof): string | undefined {
  return proof.kind === "claim" ? formatIdentity(parseIdentity(proof.claim.payload.subject)) : undefined
}

async function unpublish(request: UnpublishRequest, net: Net, signal: AbortSignal): Promise<PublishResult> {
  const { value: login } = request
  const token = assertToken(request.credentials.secret)
  const session: Session = { net, token, signal }
  const owner = await signIn(session, login)
  assertKnownAccount(`github:${login}`, request, owner.id)
  const gists = await listOwnGists(session, owner)
  const likely = sortFiles(gists.flatMap(({ files }) => files))
  const chosen = chooseFiles(likely, githubLimits.maxFilesToClear, githubLimits.maxTotalBytes)
  const texts = assertRead(await scanFiles(chosen, session))
  const holding = texts.filter(({ text }) => request.isOurs(text))
  const ours = holding.filter(({ text }) => isProofDocument(text, request.isOurs)).map(({ file }) => file)
  const outcomes = holding.filter(({ file }) => !ours.includes(file)).map(({ file }) => byHand(file))
  for (const gist of new Set(ours.map((file) => file.gist))) {
    const own = ours.filter((file) => file.gist === gist)
    outcomes.push(await remove(session, gist, own))
  }
  const readme = await lookAtReadme(login, owner, asOwner(session))
  if (readme.text !== undefined && request.isOurs(readme.text)) {
    outcomes.push({ url: readme.foundAt, accepted: false, note: "a proof stands in this README: remove it by hand" })
  }
  return { outcomes }
}

/** A file in which its owner wrote more is not touched: gists have no undo for a file that was deleted. */
function byHand({ gist, name }: GistFile): PlaceOutcome {
  const note = `${shownName(name)} holds other text too: remove the proof from it by hand`
  return { url: pageOf(gist), accepted: false, note }
}

/** A gist that holds more than proofs keeps the rest. */
async function remove(session: Session, gist: Gist, own: readonly GistFile[]): Promise<PlaceOutcome> {
  const url = `${apiUrl}/gists/${gist.id}`
  if (own.length === gist.files.length && gist.files.length < maxListedFiles) {
    await send(session, url, { method: "DELETE" })
    return { url: pageOf(gist), accepted: true, note: "the gist was deleted" }
  }
  const files = Object.fromEntries(own.map(({ name }) => [name, null]))
  await send(session, url, { method: "PATCH", body: { files } })
  const names = own.map(({ name }) => shownName(name)).join(", ")
  return { url: pageOf(gist), accepted: true, note: `${names} was removed; the rest of the gist stays` }
}
