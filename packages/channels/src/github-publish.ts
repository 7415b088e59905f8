/** Publishing at GitHub: one public gist with the file kez.md. SPEC §7.3 [GH-9]. */
import { findProofs, formatIdentity, KezError, type Proof, parseIdentity } from "@kez/core"
import type { Net } from "./channel.ts"
import { parseForeign } from "./foreign-json.ts"
import { apiUrl, shownName } from "./github-api.ts"
import { type FileText, type Reading, readFiles } from "./github-files.ts"
import { chooseFiles, type Gist, type GistFile, isNamed, pageOf, readGist, sortNamed } from "./github-gists.ts"
import { lookAtReadme } from "./github-readme.ts"
import { assertToken, listOwnGists, type Session, send, signIn } from "./github-write.ts"
import { githubLimits } from "./limits.ts"
import type { PlaceOutcome, Publisher, PublishRequest, PublishResult, UnpublishRequest } from "./publisher.ts"

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
  const { value: login, texts } = request
  const content = texts[request.place.form]
  const bytes = Buffer.byteLength(content)
  if (bytes > githubLimits.maxFileBytes) {
    const most = githubLimits.maxFileBytes
    throw new KezError("publish.too_long", `Cannot publish at GitHub: expected at most ${most} bytes, got ${bytes}`)
  }
  const session: Session = { net, token: assertToken(request.credentials.secret), signal }
  const owner = await signIn(session, login)
  const earlier = await findEarlier(session, login, await listOwnGists(session, owner))
  const description = `KEZ claim: github:${login}`
  if (earlier !== undefined) {
    const { gist, name } = earlier
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

/** The newest public file that proves the same account already. */
async function findEarlier(session: Session, login: string, gists: readonly Gist[]): Promise<GistFile | undefined> {
  const files = gists.filter(({ isPublic }) => isPublic).flatMap(({ files }) => files)
  const reading = await readChosen(session, sortNamed(files), githubLimits.maxNamedFiles)
  return reading.find(({ text }) => provesAccount(text, login))?.file
}

async function readChosen(
  { net, signal }: Session,
  files: readonly GistFile[],
  max: number,
): Promise<readonly FileText[]> {
  const reading: Reading = await readFiles(chooseFiles(files, max, githubLimits.maxTotalBytes), net, signal)
  if (reading.trouble !== undefined) {
    // Without having read what is there, another proof would be added to it.
    throw new KezError(
      reading.trouble.code,
      "Cannot change gists at GitHub: expected to read those that are there, got no answer",
    )
  }
  return reading.texts
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
  const files = (await listOwnGists(session, owner)).flatMap((gist) => gist.files)
  const likely = [...sortNamed(files), ...files.filter((file) => !isNamed(file))]
  const texts = await readChosen(session, likely, githubLimits.maxNamedFiles + githubLimits.maxOtherFiles)
  const ours = texts.filter(({ text }) => request.isOurs(text)).map(({ file }) => file)
  const outcomes: PlaceOutcome[] = []
  for (const gist of new Set(ours.map((file) => file.gist))) {
    const own = ours.filter((file) => file.gist === gist)
    outcomes.push(await remove(session, gist, own))
  }
  const asOwner = { ...net, settings: { ...net.settings, githubToken: token } }
  const readme = await lookAtReadme(login, owner, { net: asOwner, signal })
  if (readme.text !== undefined && request.isOurs(readme.text)) {
    outcomes.push({ url: readme.foundAt, accepted: false, note: "a proof stands in this README: remove it by hand" })
  }
  return { outcomes }
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
