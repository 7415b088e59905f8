/** What this device keeps up for itself: its credential, its key packages, and the session by which it connects. */
import {
  createConnectToken,
  type Envelope,
  formatEnvelope,
  formatTime,
  keyOfSecret,
  parseTime,
  signEnvelope,
} from "@kez/core"
import { backend } from "#chat-backend"
import { encodeText } from "../bytes.ts"
import {
  type DeviceCredential,
  decodeCredential,
  encodeCredential,
  signDeviceCredential,
} from "../credential/device-credential.ts"
import { deviceSigner } from "../credential/device-keys.ts"
import { createKeyPackage, encodeOwnKeyPackage, type OwnKeyPackage } from "../credential/key-package.ts"
import { maxKeyPackagesHeld } from "../limits.ts"
import type { Desk } from "./desk.ts"
import { decodeRow, keys } from "./row.ts"
import type { Unit } from "./unit.ts"
import type { KeyPackageRow } from "./welcome.ts"

/** Renewed when so little of its 90 days is left. */
const renewBeforeSeconds = 30 * 86_400
const sessionSeconds = 7 * 86_400
/** What is packed into one command. */
const keyPackagesAtOnce = 50
/** After the end of a key package a Welcome that used it may still be on its way. */
const keptAfterEndSeconds = 7 * 86_400

/** Reads the credential, or signs one. True: it is new, so that key packages with the old one are to be replaced. */
export async function ensureCredential(unit: Unit, desk: Desk): Promise<boolean> {
  const { keys: deviceKeys, chain } = desk.ports.account
  const stored = await unit.row<null>(keys.credential)
  const known = stored === undefined ? undefined : decodeCredential(stored.bytes)
  const isFit = known !== undefined && known.device === desk.device && known.chain === chain
  if (isFit && known.expiresAt - desk.now() > renewBeforeSeconds) {
    desk.credential = known
    return false
  }
  const made: DeviceCredential = await signDeviceCredential({ chain, keys: deviceKeys, now: desk.now() })
  unit.put(keys.credential, null, encodeCredential(made))
  desk.credential = made
  return true
}

export interface HeldByServer {
  readonly key_packages: number
  readonly last_resort: boolean
}

/** Makes the key packages that the server lacks: kept here first, then handed out. */
export async function fillKeyPackages(desk: Desk, held: HeldByServer, isRenewed: boolean): Promise<void> {
  const wanted = Math.min(desk.ports.keyPackages ?? maxKeyPackagesHeld, maxKeyPackagesHeld)
  // Half of them gone: it gets as many as it keeps.
  const isEnough = held.key_packages >= wanted / 2 && !isRenewed
  const count = isEnough ? 0 : wanted - (isRenewed ? 0 : held.key_packages)
  const made: OwnKeyPackage[] = []
  for (let at = 0; at < count; at++) made.push(await make(desk, false))
  if (!held.last_resort || isRenewed) made.push(await make(desk, true))
  for (let at = 0; at < made.length; at += keyPackagesAtOnce) {
    const some = made.slice(at, at + keyPackagesAtOnce)
    await desk.turn(async (unit) => {
      for (const one of some) {
        const row: KeyPackageRow = { isLastResort: one.isLastResort, expiresAt: one.expiresAt }
        unit.put(keys.keyPackage(one.ref), row, encodeOwnKeyPackage(one))
      }
    })
    await desk.request(
      "key-packages-put",
      {},
      some.map(({ bytes }) => bytes),
    )
  }
  await desk.turn((unit) => dropExpired(unit, desk.now()))
}

/** A last-resort key package that was used is replaced at the server. The old one is kept a while: a Welcome by it may be on its way. */
export async function replaceLastResort(desk: Desk): Promise<void> {
  const isUsed = await desk.turn(async (unit) =>
    (await unit.list<KeyPackageRow>(keys.keyPackages)).some(
      ({ usedAt, isReplaced }) => usedAt !== undefined && isReplaced !== true,
    ),
  )
  if (!isUsed) return
  await fillKeyPackages(desk, { key_packages: maxKeyPackagesHeld, last_resort: false }, false)
  await desk.turn(async (unit) => {
    for (const { key, value } of await unit.rows(keys.keyPackages)) {
      const { value: row, bytes } = decodeRow<KeyPackageRow>(value)
      if (row.usedAt !== undefined) unit.put(key, { ...row, isReplaced: true } satisfies KeyPackageRow, bytes)
    }
  })
}

function make(desk: Desk, isLastResort: boolean): Promise<OwnKeyPackage> {
  const { credential } = desk
  if (credential === undefined) throw new Error("key packages before the credential")
  return createKeyPackage({ keys: desk.ports.account.keys, credential, now: desk.now(), isLastResort })
}

async function dropExpired(unit: Unit, now: number): Promise<void> {
  for (const { key, value } of await unit.rows(keys.keyPackages)) {
    const { expiresAt, usedAt, isReplaced } = decodeRow<KeyPackageRow>(value).value
    const end = isReplaced === true && usedAt !== undefined ? usedAt : expiresAt
    if (end + keptAfterEndSeconds < now) unit.delete(key)
  }
}

/** A key of this run alone, and the statement by which the device lets it speak for it. */
export class ConnectSession {
  readonly #desk: Desk
  #secret: Uint8Array = new Uint8Array()
  #session: Envelope<"nats_session"> | undefined

  constructor(desk: Desk) {
    this.#desk = desk
  }

  /** Made anew when half of it is over. */
  async renew(): Promise<void> {
    const { account } = this.#desk.ports
    const now = this.#desk.now()
    if (this.#session !== undefined && parseTime(this.#session.payload.expires_at) - now > sessionSeconds / 2) return
    const secret = backend.randomBytes(32)
    const payload = {
      type: "kez.chat.nats_session",
      version: 1,
      audience: account.host,
      chain: account.chain,
      session: keyOfSecret("ed25519", secret),
      created_at: formatTime(now),
      expires_at: formatTime(now + sessionSeconds),
    } as const
    this.#session = await signEnvelope("nats_session", payload, deviceSigner(account.keys))
    this.#secret = secret
  }

  token(nonce: string | undefined): string {
    return createConnectToken({
      sessionSecret: this.#secret,
      session: this.statement,
      nonce,
      nowSeconds: this.#desk.now(),
    })
  }

  get statement(): Envelope<"nats_session"> {
    if (this.#session === undefined) throw new Error("no session yet")
    return this.#session
  }

  /** For POST /v1/standing. */
  get text(): Uint8Array {
    return encodeText(formatEnvelope(this.statement))
  }
}
