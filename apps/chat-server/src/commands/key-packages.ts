/** `key-packages-put`, `key-packages-take`: what others need to add a device while it is away. RFC 9420 §10 */
import { chatLimits, standingNow, verifyKeyPackage } from "@kez/chat"
import { type ChainReplay, deviceIdOf, KezError, userIdOf } from "@kez/core"
import type { DeviceRow } from "../broker/devices.ts"
import { maxAnswerPartsBytes, maxOwnTakes, maxTakesOfRequester, maxTakesOfTarget } from "../limits.ts"
import type { Sql } from "../storage/database.ts"
import { countOf } from "../storage/row.ts"
import { rateLimit } from "./come-again.ts"
import type { CommandDeps, Handler } from "./command.ts"
import { type Offered, saveKeyPackages, takeKeyPackage } from "./key-package-table.ts"

const windowSeconds = 3_600

/** Those who take one check it again: nothing that this server says is believed. It only keeps rubbish out. */
export function keyPackagesPut(deps: CommandDeps): Handler<"key-packages-put"> {
  const { database, standings, nowSeconds } = deps
  return async (caller, { parts }) => {
    const { replay } = await standings.look(caller.chain)
    if (replay === undefined) throw unreachable()
    const offered: Offered[] = []
    for (const bytes of parts) offered.push(await verify(bytes, { caller, replay, now: nowSeconds() }))
    const now = nowSeconds()
    return { answer: await database.transact((sql) => saveKeyPackages(sql, caller, { offered, now })) }
  }
}

async function verify(
  bytes: Uint8Array,
  { caller, replay, now }: { readonly caller: DeviceRow; readonly replay: ChainReplay; readonly now: number },
): Promise<Offered> {
  if (bytes.length > chatLimits.maxKeyPackageBytes)
    throw new KezError(
      "limit.size",
      `Cannot take the key package: expected at most ${chatLimits.maxKeyPackageBytes} bytes`,
    )
  const chains = (chain: string) => (chain === caller.chain ? replay : undefined)
  const verified = await verifyKeyPackage(bytes, { chains, now })
  if (verified.credential.device !== caller.device) {
    throw new KezError("chat.key_package", "Cannot take the key package: it is of another device")
  }
  const { leafNode } = verified.keyPackage
  const notAfter = leafNode.leafNodeSource === "key_package" ? Number(leafNode.lifetime.notAfter) : 0
  return { bytes, verified, expiresAt: Math.min(notAfter, verified.credential.expiresAt) }
}

export function keyPackagesTake(deps: CommandDeps): Handler<"key-packages-take"> {
  const { database, standings, devices, nowSeconds } = deps
  return async (caller, { header: { chain, devices: wanted } }) => {
    const uid = userIdOf(chain)
    const here = await devices.ofPerson(uid)
    // Nobody of the name was ever here: no store is asked for it.
    if (here.length === 0) return { answer: { devices: [] } }
    const { replay } = await standings.look(chain)
    if (replay === undefined) throw unreachable()
    const names = new Set(wanted?.map(deviceIdOf))
    const rows = here.filter(
      ({ device, dev, revokedSeq }) =>
        (wanted === undefined || names.has(dev)) &&
        device !== caller.device &&
        revokedSeq === undefined &&
        standingNow(replay, device) === "current",
    )
    const now = nowSeconds()
    const taken = await database.transact(async (sql) => {
      await assertQuota(sql, { requester: caller.uid, target: uid, now })
      const found: { readonly device: string; readonly bytes: Uint8Array }[] = []
      let size = 0
      for (const row of rows.slice(0, chatLimits.maxGroupDevices)) {
        // What would not fit into the answer is not used up: it can be asked for by name.
        if (size + chatLimits.maxKeyPackageBytes > maxAnswerPartsBytes) break
        const bytes = await takeKeyPackage(sql, row, now)
        if (bytes === undefined) continue
        found.push({ device: row.device, bytes })
        size += bytes.length
      }
      // Who got none may ask again.
      if (found.length > 0) await noteTake(sql, { requester: caller.uid, target: uid, now })
      return found
    })
    return { answer: { devices: taken.map(({ device }) => device) }, parts: taken.map(({ bytes }) => bytes) }
  }
}

interface Take {
  readonly requester: string
  readonly target: string
  readonly now: number
}

/** In the database, so that neither a restart nor a second copy of the server gives more. */
async function assertQuota(sql: Sql, { requester, target, now }: Take): Promise<void> {
  const since = now - windowSeconds
  await sql.rows("DELETE FROM key_package_takes WHERE taken_at <= $1", [since])
  const [row] = await sql.rows(
    "SELECT count(*) AS all_takes, coalesce(sum(CASE WHEN requester = $1 THEN 1 ELSE 0 END), 0) AS own, min(taken_at) AS first FROM key_package_takes WHERE target = $2",
    [requester, target],
  )
  const isSelf = requester === target
  const [own, all] = [countOf(row?.["own"]), countOf(row?.["all_takes"])]
  const isOver = isSelf ? own >= maxOwnTakes : own >= maxTakesOfRequester || all - own >= maxTakesOfTarget
  if (isOver) {
    const wait = Math.max(1, countOf(row?.["first"] ?? now) - since)
    throw rateLimit("Cannot hand out key packages of this person now: many were taken within the hour", wait)
  }
}

async function noteTake(sql: Sql, { requester, target, now }: Take): Promise<void> {
  await sql.rows("INSERT INTO key_package_takes VALUES ($1, $2, $3)", [requester, target, now])
}

function unreachable(): KezError {
  return new KezError("chain.unreachable", "Cannot check the chain now: the sigchain stores do not tell it", {
    hint: "Try again in a moment.",
  })
}
