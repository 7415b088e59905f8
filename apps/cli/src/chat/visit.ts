/** A short visit at the server, when an account is made or brought here: key packages are left, and with the words the archive is read. */
import type { ArchiveState, Engine } from "@kez/chat"
import { KezError } from "@kez/core"
import type { ReadyAccount } from "../account/records.ts"
import { readDemands } from "../commands/verify-options.ts"
import type { Context } from "../context.ts"
import { createBrokerPlace } from "./broker-place.ts"
import { openChat, waitOnline } from "./open-chat.ts"

/** A server without a broker is not waited for. */
async function whyNoBroker(context: Context, { host }: ReadyAccount): Promise<string | undefined> {
  const { net, timeoutMs } = await readDemands(context, {})
  try {
    await createBrokerPlace(context, { host, net: await net(), timeoutMs })()
    return undefined
  } catch (error) {
    if (error instanceof KezError) return error.message
    throw error
  }
}

/** How long a visit waits for the broker. */
const visitMs = 12_000

/** While the words read the archive: so long without anything new ends the waiting. */
const quietMs = 20_000
const tellEveryMs = 1_000

export interface Visit {
  /** Undefined: the server has this device's key packages. Else why not. */
  readonly reason: string | undefined
  readonly archive: ArchiveState
  /** Messages that came out of the archive. */
  readonly restored: number
}

/** Connects once, so that the server gets this device's key packages; with the words it also reads the archive to its end. */
export async function visitServer(context: Context, account: ReadyAccount, archiveSecret?: Uint8Array): Promise<Visit> {
  const missing = await whyNoBroker(context, account)
  if (missing !== undefined) return { reason: missing, archive: { kind: "waiting" }, restored: 0 }
  const chat = await openChat(context, account, archiveSecret === undefined ? {} : { archiveSecret })
  try {
    const { engine } = chat
    const reading = archiveSecret === undefined ? Promise.resolve(0) : readArchive(context, engine)
    await waitOnline(engine, visitMs)
    const isOnline = engine.connection().kind === "online"
    const restored = isOnline ? await reading : 0
    const isSettled = isOnline && (await engine.settled(visitMs))
    return { reason: whyNot(engine, isSettled), archive: engine.archive(), restored }
  } finally {
    await chat.close()
  }
}

function whyNot(engine: Engine, isSettled: boolean): string | undefined {
  const state = engine.connection()
  if (state.kind === "online") return isSettled ? undefined : "it took too long"
  return "reason" in state ? state.reason : "no answer"
}

/** Resolves to how many messages came, when all have, or nothing moved for a while. */
async function readArchive({ terminal }: Context, engine: Engine): Promise<number> {
  const events = engine.events()
  const give = (): void => void events.return?.()
  let timer = setTimeout(give, quietMs)
  let [before, now] = [0, 0]
  let toldAt = Number.NEGATIVE_INFINITY
  try {
    for await (const event of events) {
      if (event.kind !== "archive") continue
      const { archive } = event
      if (archive.kind === "on" || archive.kind === "off") break
      if (archive.kind !== "restoring") continue
      clearTimeout(timer)
      timer = setTimeout(give, quietMs)
      // It counts anew when it has to look for keys in between.
      if (archive.messages < now) before += now
      now = archive.messages
      if (performance.now() - toldAt < tellEveryMs) continue
      toldAt = performance.now()
      terminal.progress(`restoring ${before + now} messages`)
    }
    return before + now
  } finally {
    clearTimeout(timer)
    await events.return?.()
  }
}
