/**
 * What a conversation lacks before anything is written there: devices that a chain revoked are removed, devices that members have and the conversation
 * has not are added, an old credential is renewed. Made as commits: prepared and kept, published by compare-and-set, then applied or rebased.
 */
import { type Digest, digestOf, KezError, parseTime } from "@kez/core"
import { encodeText, joinBytes } from "../bytes.ts"
import type { CommitRequest, GroupDevice, PreparedCommit } from "../cipher/group-cipher.ts"
import { roleOf, type StateChange } from "../conversation/state-body.ts"
import { verifyKeyPackage } from "../credential/key-package.ts"
import { raise } from "./alarms.ts"
import { acceptOwn } from "./commit-rows.ts"
import { currentDevices } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { dropChange, dueChange } from "./group-changes.ts"
import type { KeyPackageShelf, Urgency } from "./key-package-shelf.ts"
import { groupAt } from "./outbox-rows.ts"
import { positionsOf } from "./positions.ts"
import { decodeRow, type GroupRow, keys, type WelcomeRow } from "./row.ts"
import type { Unit } from "./unit.ts"

/** A credential in a conversation that ends so soon is replaced. */
const renewSeconds = 86_400
/** A new epoch because a device is too far ahead is begun so seldom: any member can look as if he were. */
const unstuckSeconds = 3_600
/** For so long a device is left to the others of its person, who add it within seconds. */
const newDeviceSeconds = 30

export interface Plan {
  /** A change of the state that was asked for, with its row. */
  readonly change: StateChange | undefined
  readonly changeKey: string | undefined
  readonly remove: readonly string[]
  /** Devices to be added, by chain. */
  readonly missing: ReadonlyMap<Digest, readonly string[]>
  readonly isRenewal: boolean
  /** The server was told other members than there are. */
  readonly isToldWrong: boolean
  /** A device is too far ahead to be read in this epoch. */
  readonly isStuck: boolean
}

export async function planOf(unit: Unit, desk: Desk, group: Digest): Promise<Plan> {
  const cipher = await desk.ciphers.of(group)
  const members = cipher.members()
  const due = await dueChange(unit, desk, cipher)
  const state = due?.next ?? cipher.state
  const chains = state.members.map(({ chain }) => chain)
  const remove = members
    .filter((device) => isOverdue(desk, device) || roleOf(state, device.chain) === undefined)
    .map(({ device }) => device)
  const here = new Set(members.map(({ device }) => device))
  const missing = new Map<Digest, readonly string[]>()
  for (const chain of chains) {
    if (desk.known(chain) === undefined) desk.ciphers.missed.add(chain)
    const devices = currentDevices(desk, chain).filter((device) => !here.has(device) && device !== desk.device)
    if (devices.length > 0) missing.set(chain, devices)
  }
  const own = members.find(({ isSelf }) => isSelf)?.credential
  const expiresAt = desk.credential?.expiresAt ?? 0
  const isRenewal = own !== undefined && own.expiresAt + renewSeconds < expiresAt
  const { isToldWrong = false, stuckEpoch, unstuckAt = 0 } = await groupAt(unit, group)
  const isStuck = stuckEpoch === cipher.epoch && unstuckAt + unstuckSeconds <= desk.now()
  return { change: due?.change, changeKey: due?.key, remove, missing, isRenewal, isToldWrong, isStuck }
}

/** A chain that is not known here is fetched; nobody is removed for that. */
function isOverdue(desk: Desk, { standing, chain, isSelf }: GroupDevice): boolean {
  return standing !== "current" && !isSelf && desk.known(chain) !== undefined
}

/** Takes key packages for devices that are missing. They are held against what was asked for, not against what the server says they are. */
export async function takeKeyPackages(desk: Desk, shelf: KeyPackageShelf, group: Digest, plan: Plan): Promise<void> {
  const members = await desk.turn(async () => (await desk.ciphers.of(group)).members())
  for (const [chain, missing] of plan.missing) {
    const urgency = new Map(missing.map((device) => [device, howUrgent(desk, members, { chain, device })]))
    const devices = missing.filter((device) => shelf.isDue(device, urgency.get(device) ?? "first", desk.now()))
    if (devices.length === 0) continue
    for (const device of devices) shelf.asked([device], urgency.get(device) ?? "first", desk.now())
    const { parts } = await desk.request("key-packages-take", { chain, devices })
    for (const bytes of parts) await judgeKeyPackage(desk, shelf, { bytes, chain, devices, group })
  }
}

function howUrgent(
  desk: Desk,
  members: readonly GroupDevice[],
  { chain, device }: { readonly chain: Digest; readonly device: string },
): Urgency {
  if (chain === desk.chain) return "own"
  // A device that came long ago is not being added by one of its own: there may be none left.
  const isNew = desk.now() - listedAt(desk, chain, device) < newDeviceSeconds
  return isNew && members.some((member) => member.chain === chain) ? "further" : "first"
}

/** Unix seconds, as the event says that lists it; it decides nothing but when it is asked for. */
function listedAt(desk: Desk, chain: Digest, device: string): number {
  const event = desk
    .known(chain)
    ?.path.findLast(({ payload }) => payload.op === "add_device" && payload.payload.key === device)
  return event === undefined ? 0 : parseTime(event.payload.created_at)
}

async function judgeKeyPackage(
  desk: Desk,
  shelf: KeyPackageShelf,
  given: {
    readonly bytes: Uint8Array
    readonly chain: Digest
    readonly devices: readonly string[]
    readonly group: Digest
  },
): Promise<void> {
  const { bytes, chain, devices, group } = given
  try {
    const chains = (one: Digest) => desk.known(one)
    const { credential } = await verifyKeyPackage(bytes, { chains, now: desk.now() })
    if (credential.chain !== chain || !devices.includes(credential.device)) {
      throw new KezError("chat.credential", "Cannot use the key package: it is not of the person who was asked for", {
        hint: "The server hands out something else. Nothing was sent.",
      })
    }
    shelf.put(credential.device, bytes)
  } catch (fault) {
    if (!(fault instanceof KezError)) throw fault
    await desk.turn(async (unit) => {
      const conversation = (await groupAt(unit, group)).thread
      await raise(unit, desk, { kind: "key_package", contact: chain, conversation }, fault)
    })
  }
}

/** Prepares the commit that is due, and keeps it. Undefined: there is none, or what it needs is not there. */
export async function prepareCommit(
  unit: Unit,
  desk: Desk,
  shelf: KeyPackageShelf,
  group: Digest,
): Promise<PreparedCommit | undefined> {
  const cipher = await desk.ciphers.of(group)
  if (cipher.pending !== undefined) return cipher.pending
  const plan = await planOf(unit, desk, group)
  const devices = [...plan.missing.values()].flat().filter((device) => shelf.take(device) !== undefined)
  const add = devices.map((device) => shelf.take(device) ?? new Uint8Array())
  const isDue = plan.change !== undefined || plan.isRenewal || plan.isToldWrong || plan.isStuck
  if (add.length === 0 && plan.remove.length === 0 && !isDue) return undefined
  const extra = add.length === 0 ? undefined : await positionsOf(unit, desk, group, devices)
  const request: CommitRequest = {
    ...(add.length === 0 ? {} : { add }),
    ...(extra === undefined ? {} : { extra }),
    ...(plan.remove.length === 0 ? {} : { remove: plan.remove }),
    ...(plan.change === undefined ? {} : { change: plan.change }),
    ...(add.length === 0 && desk.credential !== undefined && plan.isRenewal ? { renew: desk.credential } : {}),
  }
  try {
    const prepared = await cipher.commit(request)
    await noteChanging(unit, group, { commit: prepared.digest, key: plan.changeKey })
    unit.afterwards(() => {
      for (const device of devices) shelf.use(device)
    })
    return prepared
  } catch (error) {
    // One that has expired meanwhile, or whose device was revoked: another one is taken the next time.
    if (error instanceof KezError) for (const device of devices) shelf.use(device)
    if (!(error instanceof KezError) || plan.changeKey === undefined || !hopeless.has(error.code)) throw error
    // What nobody can make must not hold up what comes behind it.
    await dropChange(unit, desk, { group, key: plan.changeKey }, error)
    return undefined
  }
}

/** What was asked for meanwhile is not in it, and stays if the server does not take it. */
async function noteChanging(
  unit: Unit,
  group: Digest,
  { commit, key }: { readonly commit: Digest; readonly key: string | undefined },
): Promise<void> {
  const { changing: _, ...row } = await groupAt(unit, group)
  unit.put(keys.group(group), {
    ...row,
    ...(key === undefined ? {} : { changing: { commit, key } }),
  } satisfies GroupRow)
}

/** Refusals of a commit that the same bytes meet again: another one is made. */
const hopeless: ReadonlySet<string> = new Set([
  "limit.size",
  "chat.commit",
  "chat.encoding",
  "chat.policy",
  "schema.value",
])

async function discard(desk: Desk, group: Digest, { digest }: PreparedCommit): Promise<void> {
  await desk.turn(async () => {
    const cipher = await desk.ciphers.of(group)
    if (cipher.pending?.digest === digest) await cipher.discard()
  })
}

/** Where a change that was asked for is in it: who is in the group already must not wait for what cannot be done. */
async function giveUpChange(desk: Desk, group: Digest, pending: PreparedCommit, fault: KezError): Promise<void> {
  await desk.turn(async (unit) => {
    const cipher = await desk.ciphers.of(group)
    const { changing } = await groupAt(unit, group)
    if (changing?.commit !== pending.digest || cipher.pending?.digest !== pending.digest) return
    await cipher.discard()
    await dropChange(unit, desk, { group, key: changing.key }, fault)
  })
}

/** Asks the server to put a commit in its place. True: it is there, and applied here. */
export async function publishCommit(desk: Desk, group: Digest, pending: PreparedCommit): Promise<boolean> {
  const row = await desk.turn((unit) => groupAt(unit, group))
  const conversation = group.slice("sha256:".length)
  const { members } = pending
  const request = { conversation, id: pending.digest, follows: row.lastCommit, members }
  const { header } = await desk.request("commit", request, [pending.message]).catch(async (error: unknown) => {
    if (!(error instanceof KezError)) throw error
    const isHopeless = hopeless.has(error.code)
    // Somebody whom it brings in is none of the server's people.
    if (isHopeless || error.code === "chain.unknown") await giveUpChange(desk, group, pending, error)
    if (isHopeless) await discard(desk, group, pending)
    throw error
  })
  const { accepted, seq = 0, newest = 0 } = header
  if (accepted) {
    await desk.turn(async (unit) => {
      const cipher = await desk.ciphers.of(group)
      // It may have come by the mailbox before the answer.
      if (cipher.pending?.digest !== pending.digest) return
      await acceptOwn(unit, desk, { row: await groupAt(unit, group), pending, seq })
    })
    return true
  }
  // A broker that lost commits: everything is read anew, and what is known is told from what is not by its epoch.
  if (newest < row.lastCommit) {
    await desk.turn(async (unit) =>
      unit.put(keys.group(group), { ...(await groupAt(unit, group)), lastCommit: newest }),
    )
  }
  return false
}

/** Sends the Welcomes of accepted commits. */
export async function sendWelcomes(desk: Desk, group: Digest): Promise<void> {
  const rows = await desk.turn((unit) => unit.rows(keys.welcome(group)))
  for (const { key, value } of rows) {
    const { value: row, bytes } = decodeRow<WelcomeRow>(value)
    const { chain, device, commit } = row
    const conversation = group.slice("sha256:".length)
    const id = idOfWelcome(bytes, device)
    await desk.request("welcome", { conversation, id, commit, chain, device }, [bytes])
    await desk.turn(async (unit) => unit.delete(key))
  }
}

function idOfWelcome(bytes: Uint8Array, device: string): Digest {
  return digestOf(joinBytes(encodeText(device), bytes))
}
