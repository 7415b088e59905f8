/** Handles over HTTP, held against the log of their directory and what was seen of it before. SPEC §7.8 */
import { assertSignature, type ChainReplay, decodeText, envelopeDigest, isHost, KezError, parseJson } from "@kez/core"
import {
  consistencyNeeded,
  type DirectoryMemory,
  type DirectoryStatement,
  judgeLookUp,
  keyOf,
  type LookUp,
  maxLookUpBytes,
  parseHandle,
  rememberDirectory,
  watchOwnHandle,
} from "@kez/core/directory"
import { assertObject } from "@kez/core/schema"
import {
  bundlesOf,
  decodeBundle,
  encodeBase64,
  type Frontier,
  formatTilePath,
  openCheckpoint,
  tryDecodeBase64,
} from "@kez/core/tlog"
import type { Desk } from "./desk.ts"
import { keys } from "./row.ts"
import type { Unit } from "./unit.ts"

const maxTextBytes = 65_536
const maxBundleBytes = 16_900_000
/** Leaves of one look: a server may sign any size. */
const maxWatchedLeaves = 1_000_000

export interface Handle {
  readonly handle: string
  readonly host: string
}

/** `alice@host`, or `alice` for one of the own host. Throws `identity.*`. */
export function parseAddress(text: string, ownHost: string): Handle {
  const bare = text.startsWith("@") ? text.slice(1) : text
  const [name = "", host = ownHost, ...more] = bare.split("@")
  const handle = parseHandle(name)
  if (more.length === 0 && isHost(host)) return { handle, host }
  throw new KezError("identity.syntax", "Cannot use the address: expected handle@host, such as alice@chat.example")
}

export interface Found extends LookUp {
  /** Where the chain may be fetched. */
  readonly primary?: string
  readonly url?: string
  /** Another chain than this directory named before: nothing of it is to be trusted, and nothing of it was kept. */
  readonly isChanged: boolean
}

/** Looks a handle up. What was learned of the directory is kept. Throws `store.unknown`, `net.*`, `directory.*`, `account.*`. */
export async function lookUp(desk: Desk, { handle, host }: Handle): Promise<Found> {
  const { status, body } = await get(desk, host, `/v1/handles/${handle}`, maxLookUpBytes)
  if (status === 404) {
    throw new KezError("store.unknown", `Cannot find ${handle}@${host}: nobody has the handle`, {
      hint: "Ask how it is spelled.",
    })
  }
  if (status !== 200 && status !== 410) throw refused(host, status)
  const memory = await memoryOf(desk, host)
  const needed = consistencyNeeded(body, memory)
  const consistency = needed === undefined ? [] : await consistencyOf(desk, host, needed)
  const request = { body, handle, memory, consistency, now: desk.now() }
  try {
    const found = judgeLookUp(request)
    await remember(desk, found.memory)
    return { ...found, ...hintsIn(body), isChanged: false }
  } catch (fault) {
    if (!(fault instanceof KezError) || fault.code !== "account.changed") throw fault
    // Judged once more without what was seen of the handle: the other statement, with its place in the log, is the evidence.
    const { [handle]: _, ...handles } = memory.handles
    return { ...judgeLookUp({ ...request, memory: { ...memory, handles } }), ...hintsIn(body), isChanged: true }
  }
}

/** That the chain says so too, and knows who signed. Throws `account.one_sided`. */
export function assertNamed(replay: ChainReplay, { handle, host }: Handle, { statement }: LookUp): void {
  assertSignature(statement)
  const entry = replay.state.subjects.get(`kez:${handle}@${host}`)
  if (isKeyOf(replay, statement.signature.key) && entry?.status === "active") return
  throw new KezError("account.one_sided", `Cannot trust ${handle}@${host}: its sigchain does not name the handle`, {
    hint: "The server says that it belongs to that chain; the chain does not. Ask its owner.",
  })
}

/** Of its primaries and devices, former ones too. */
function isKeyOf(replay: ChainReplay, signer: string): boolean {
  return (
    replay.everyPrimary.includes(signer) ||
    replay.path.some(({ payload }) => payload.op === "add_device" && payload.payload.key === signer)
  )
}

export interface Watched {
  readonly strange: readonly DirectoryStatement[]
  /** Notes how far the log was read: in one step with the alarm, since nothing before that place is looked at again. */
  keep(unit: Unit): void
}

/** The daily look of an owner at all leaves since the last one: statements about the own handle, or one like it, that are not his. Throws `directory.*`, `net.*`. */
export async function watchHandle(desk: Desk, own: Handle): Promise<Watched> {
  const { handle, host } = own
  const memory = await memoryOf(desk, host)
  const stored = await desk.turn((unit) => unit.get<{ size: number; hashes: string[] }>(keys.watch(handle)))
  const hashes = (stored?.hashes ?? []).map((text) => tryDecodeBase64(text) ?? new Uint8Array())
  const frontier: Frontier = { size: stored?.size ?? 0, hashes }
  const checkpoint = decodeText((await get(desk, host, "/v1/log/checkpoint", maxTextBytes)).body, maxTextBytes)
  const { size } = openCheckpoint(checkpoint, keyOf(memory.host, memory.key))
  if (size - frontier.size > maxWatchedLeaves) {
    throw new KezError(
      "directory.checkpoint",
      `Cannot check the log of ${host}: it claims ${size - frontier.size} new statements at once`,
      { hint: `No more than ${maxWatchedLeaves} are read. Ask who runs the server what happened.` },
    )
  }
  const leaves: Uint8Array[] = []
  for (const bundle of frontier.size === size ? [] : bundlesOf({ start: frontier.size, end: size }, size)) {
    const { status, body } = await get(desk, host, `/v1/log/${formatTilePath(bundle)}`, maxBundleBytes)
    if (status !== 200) throw refused(host, status)
    const skipped = Math.max(0, frontier.size - bundle.index * 256)
    leaves.push(...decodeBundle(body, bundle.width).slice(skipped))
  }
  const watch = watchOwnHandle({ memory, frontier, leaves, checkpoint, handle, known: new Set() })
  const strange = [
    ...watch.own.map(({ statement }) => statement).filter((one) => !isOurs(desk, one)),
    ...watch.lookalikes.map(({ statement }) => statement),
  ]
  const read = { size: watch.frontier.size, hashes: watch.frontier.hashes.map(encodeBase64) }
  return { strange, keep: (unit) => unit.put(keys.watch(handle), read) }
}

/** Signed by this device, or a registration for our chain by another key of it: a device that came later was not there. */
function isOurs(desk: Desk, statement: DirectoryStatement): boolean {
  const { chain, handleStatements } = desk.ports.account
  if (handleStatements === undefined) return statement.payload.chain === chain
  if (handleStatements.includes(envelopeDigest(statement))) return true
  const replay = desk.known(chain)
  const isForUs = statement.kez === "handle_registration" && statement.payload.chain === chain
  return isForUs && replay !== undefined && isKeyOf(replay, statement.signature.key) && isSigned(statement)
}

function isSigned(statement: DirectoryStatement): boolean {
  try {
    assertSignature(statement)
    return true
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

async function memoryOf(desk: Desk, host: string): Promise<DirectoryMemory> {
  const known = await desk.turn((unit) => unit.get<DirectoryMemory>(keys.directory(host)))
  if (known !== undefined) return known
  const key = decodeText((await get(desk, host, "/v1/log/key", maxTextBytes)).body, maxTextBytes).trimEnd()
  const checkpoint = decodeText((await get(desk, host, "/v1/log/checkpoint", maxTextBytes)).body, maxTextBytes)
  return rememberDirectory(host, key, checkpoint)
}

async function remember(desk: Desk, memory: DirectoryMemory): Promise<void> {
  await desk.turn(async (unit) => unit.put(keys.directory(memory.host), memory))
}

async function consistencyOf(
  desk: Desk,
  host: string,
  { first, second }: { readonly first: number; readonly second: number },
): Promise<readonly Uint8Array[]> {
  const { body } = await get(desk, host, `/v1/log/consistency?first=${first}&second=${second}`, maxTextBytes)
  const value = parseJson(decodeText(body, maxTextBytes))
  assertObject(value, "the proof")
  const proof = value["proof"]
  if (!Array.isArray(proof)) throw new KezError("directory.proof", "Cannot read the proof: expected a list")
  return proof.map((hash) => (typeof hash === "string" ? tryDecodeBase64(hash) : undefined) ?? new Uint8Array())
}

async function get(desk: Desk, host: string, path: string, maxBytes: number) {
  const answer = await desk.ports.http.request({ host, method: "GET", path, maxBytes })
  if (answer.status >= 500) throw refused(host, answer.status)
  return answer
}

function refused(host: string, status: number): KezError {
  return new KezError("net.status", `Cannot ask ${host}: it answers with status ${status}`, {
    hint: "Try again later.",
  })
}

function hintsIn(body: Uint8Array): { primary?: string; url?: string } {
  const value = parseJson(decodeText(body, maxLookUpBytes))
  assertObject(value, "the answer")
  const { primary, chain_url: url } = value
  return { ...(typeof primary === "string" ? { primary } : {}), ...(typeof url === "string" ? { url } : {}) }
}
