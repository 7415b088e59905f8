/** The directory: registrations, moves, releases, and what is answered about them. Each change is a leaf of the log. SPEC §7.8. */
import { type ChainReplay, type Digest, envelopeDigest, KezError, parseTime } from "@kez/core"
import { type DirectoryStatement, directoryOrigin } from "@kez/core/directory"
import { formatNoteKey, formatProofText, type NoteSigner, signCheckpoint } from "@kez/core/tlog"
import type { Database, Sql } from "../storage/database.ts"
import { admit, assertByPrimary, assertChainAgrees, assertNotReserved, findOwn } from "./admission.ts"
import type { ChainSource } from "./chains.ts"
import { findHandle, type HandleRow, handlesOf, saveChainKeys, saveHandle } from "./handles.ts"
import { useInvitation } from "./invitations.ts"
import { appendLeaf, consistencyPath, inclusionPath, leafAt, leavesOfHandle, logSize, placeOf, rootAt } from "./log.ts"
import {
  type Accompanying,
  type Expectations,
  type MoveRequest,
  readMove,
  readRegister,
  readRelease,
} from "./request.ts"

export type Registration = "invite" | "open" | "closed"

export interface DirectoryOptions {
  readonly database: Database
  readonly signer: NoteSigner
  readonly chains: ChainSource
  readonly domain: string
  readonly registration: Registration
  /** Reserved on this server, beside what always is. */
  readonly reserved: readonly string[]
  /** Unix seconds. */
  readonly now: () => number
}

/** What is known about a handle, with the proof that it is in the log. */
export interface HandleView {
  readonly row: HandleRow
  /** JCS of the newest statement about it. */
  readonly statement: string
  /** Of c2sp.org/tlog-proof. */
  readonly proof: string
}

export interface Changed {
  readonly status: "made" | "known"
  readonly view: HandleView
}

export interface Directory {
  register(body: Uint8Array): Promise<Changed>
  move(body: Uint8Array): Promise<Changed>
  release(body: Uint8Array): Promise<Changed>
  find(handle: string): Promise<HandleView | undefined>
  /** Of a chain id, or of a key that is or was its primary. */
  findByPrimary(id: string, limit: number): Promise<readonly HandleRow[]>
  /** The newest leaves about a handle, oldest first, each with its proof. */
  history(handle: string, limit: number): Promise<readonly { readonly statement: string; readonly proof: string }[]>
  /** Signed. */
  checkpoint(): Promise<string>
  /** Throws `schema.value` for sizes that the log has not. */
  consistency(first: number, second: number): Promise<readonly Uint8Array[]>
  readonly key: string
}

export function createDirectory(options: DirectoryOptions): Directory {
  const { database, signer, domain, now } = options
  const expected = (): Expectations => ({ domain, now: now() })
  const proofOf = async (place: number): Promise<string> => {
    const size = await logSize(database)
    const [path, checkpoint] = await Promise.all([inclusionPath(database, place, size), checkpointAt(size)])
    return formatProofText({ index: place, path, checkpoint })
  }
  const checkpointAt = async (size: number): Promise<string> =>
    signCheckpoint({ origin: directoryOrigin(domain), size, root: await rootAt(database, size) }, signer)
  const viewOf = async (row: HandleRow): Promise<HandleView> => {
    const [statement, proof] = await Promise.all([leafAt(database, row.place), proofOf(row.place)])
    return { row, statement, proof }
  }
  const find = async (handle: string): Promise<HandleView | undefined> => {
    const row = await findHandle(database, handle)
    return row === undefined ? undefined : viewOf(row)
  }
  const answer = async (handle: string, status: Changed["status"]): Promise<Changed> => {
    const view = await find(handle)
    if (view === undefined) throw new KezError("internal", "Cannot find what was stored")
    return { status, view }
  }
  return {
    async register(body) {
      const { registration, more } = readRegister(body, expected())
      const status = await register(options, registration, more)
      return answer(registration.payload.handle, status)
    },
    async move(body) {
      const request = readMove(body, expected())
      const status = await move(options, request)
      return answer(request.move.payload.handle, status)
    },
    async release(body) {
      const { release: statement, more } = readRelease(body, expected())
      const status = await release(options, statement, more)
      return answer(statement.payload.handle, status)
    },
    find,
    findByPrimary: (id, limit) => handlesOf(database, id, limit),
    async history(handle, limit) {
      const leaves = await leavesOfHandle(database, handle, limit)
      return Promise.all(leaves.map(async ({ place, statement }) => ({ statement, proof: await proofOf(place) })))
    },
    checkpoint: async () => checkpointAt(await logSize(database)),
    async consistency(first, second) {
      const size = await logSize(database)
      if (first > second || second > size) {
        throw new KezError("schema.value", `Cannot prove that: expected first ≤ second ≤ ${size}`)
      }
      return consistencyPath(database, first, second)
    },
    key: formatNoteKey(signer),
  }
}

async function register(
  options: DirectoryOptions,
  statement: DirectoryStatement,
  more: Accompanying,
): Promise<Changed["status"]> {
  const { database, chains, domain, reserved, registration, now } = options
  const { handle, chain } = statement.payload
  assertNotReserved(handle, reserved)
  // What is refused anyway costs no look at the stores.
  if ((await admit(database, { statement })) === "known") return "known"
  const replay = await chains.load(chain, more.chain)
  assertChainAgrees(replay, statement, domain)
  return database.transact(async (sql) => {
    const admitted = await admit(sql, { statement })
    if (admitted === "known") return "known"
    if (admitted === "new") await assertInvited(sql, { registration, code: more.invitation, now: now() })
    await enter(sql, statement, { replay, chainUrl: more.chainUrl })
    return "made"
  })
}

interface Invited {
  readonly registration: Registration
  readonly code: string | undefined
  readonly now: number
}

async function assertInvited(sql: Sql, { registration, code, now }: Invited): Promise<void> {
  if (registration === "open") return
  if (registration === "closed") {
    throw new KezError("handle.closed", "Cannot register: this server takes nobody new", {
      hint: "Use another server; you can move later.",
    })
  }
  if (code !== undefined && (await useInvitation(sql, code, now))) return
  throw new KezError("handle.invitation", "Cannot register: expected an invitation that is good now", {
    hint:
      code === undefined
        ? "Ask who runs the server for one."
        : "It is mistyped, used up or expired. Ask for another one.",
  })
}

async function enter(
  sql: Sql,
  statement: DirectoryStatement,
  { replay, chainUrl }: { readonly replay: ChainReplay; readonly chainUrl: string | undefined },
): Promise<void> {
  const place = await appendLeaf(sql, statement)
  const { handle, chain, created_at } = statement.payload
  await saveHandle(sql, {
    handle,
    chain,
    state: "registered",
    place,
    primary: replay.state.primary,
    nostr: nostrOf(replay),
    chainUrl,
    movedTo: undefined,
    registeredAt: parseTime(created_at),
  })
  await saveChainKeys(sql, chain, replay.state.primaries)
}

/** The primary, or the first nostr account that the chain lists. */
function nostrOf({ state }: ChainReplay): string | undefined {
  const listed = [...state.subjects.values()].find(
    ({ subject, status }) => status === "active" && subject.startsWith("nostr:"),
  )
  const identity = state.primary.startsWith("nostr:") ? state.primary : listed?.subject
  return identity?.slice("nostr:".length)
}

async function move(
  { database, chains, domain, reserved }: DirectoryOptions,
  { move: statement, registration, more }: MoveRequest,
): Promise<Changed["status"]> {
  const { handle, new_handle, new_host } = statement.payload
  if (registration !== undefined) assertNotReserved(new_handle, reserved)
  await findOwn(database, statement)
  const replay = await chains.load(statement.payload.chain, more.chain)
  assertByPrimary(replay, statement)
  if (registration !== undefined) assertChainAgrees(replay, registration, domain)
  return database.transact(async (sql) => {
    const own = await findOwn(sql, statement)
    if (await isRepeated(sql, own, envelopeDigest(statement))) return "known"
    if (registration !== undefined) await admit(sql, { statement: registration, instead: handle })
    const place = await appendLeaf(sql, statement)
    await saveHandle(sql, { ...own, state: "moved", place, movedTo: `${new_handle}@${new_host}` })
    if (registration !== undefined) await enter(sql, registration, { replay, chainUrl: more.chainUrl ?? own.chainUrl })
    return "made"
  })
}

async function release(
  { database, chains }: DirectoryOptions,
  statement: DirectoryStatement,
  more: Accompanying,
): Promise<Changed["status"]> {
  await findOwn(database, statement)
  assertByPrimary(await chains.load(statement.payload.chain, more.chain), statement)
  return database.transact(async (sql) => {
    const own = await findOwn(sql, statement)
    if (await isRepeated(sql, own, envelopeDigest(statement))) return "known"
    const place = await appendLeaf(sql, statement)
    await saveHandle(sql, { ...own, state: "released", place, movedTo: undefined })
    return "made"
  })
}

/** Whether the very statement is in force already. An older one that was used, or a handle that is given up, is refused. */
async function isRepeated(sql: Sql, own: HandleRow, digest: Digest): Promise<boolean> {
  const place = await placeOf(sql, digest)
  if (place !== undefined && place === own.place) return true
  if (place === undefined && own.state === "registered") return false
  throw new KezError(
    "handle.released",
    `Cannot give ${own.handle} up: it is given up, or the statement was used before`,
  )
}
