/** One real engine, as an app has it: SQLite on the disk, NATS over TCP, chains from the store. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type DeviceKeys, type Engine, openEngine } from "@kez/chat"
import { createNatsTransport } from "@kez/chat/nats"
import { openSqliteStore } from "@kez/chat/sqlite"
import type { Digest, Envelope } from "@kez/core"
import { connect } from "@nats-io/transport-node"
import { chainPort, clock, httpPort } from "../../test/support/chat-engines.ts"
import { Arrivals, answerBy, type Told } from "./processes.ts"

export type EngineOrder =
  | {
      readonly do: "open"
      readonly chain: Digest
      readonly handle: string
      readonly keys: DeviceKeys
      /** Of an account as people have it: what is said goes into its archive too. */
      readonly archiveKey: Envelope<"archive_key">
      readonly store: string
      readonly server: string
      readonly broker: string
    }
  | { readonly do: "contact"; readonly address: string; readonly chain: Digest }
  /** Answers with the moment before it was handed to the engine. */
  | { readonly do: "send"; readonly text: string; readonly count: number }
  /** Messages of the other that are shown; receipts that have come. */
  | { readonly do: "until-shown" | "until-delivered"; readonly total: number; readonly last: number }
  | { readonly do: "settle" }

const folder = mkdtempSync(join(tmpdir(), "kez-bench-engine-"))
const [shown, delivered] = [new Arrivals(), new Arrivals()]
let opened: Engine | undefined
let conversation: Digest = ""

function engine(): Engine {
  if (opened === undefined) throw new Error("not open yet")
  return opened
}

async function open(order: EngineOrder & { readonly do: "open" }): Promise<Told> {
  const chains = chainPort({ after: () => undefined }, order.store)
  await chains.fetch(order.chain)
  const own = await openEngine({
    account: {
      ...{ chain: order.chain, keys: order.keys, host: "localhost" },
      ...{ handle: order.handle, archiveKey: order.archiveKey },
    },
    transport: createNatsTransport({ servers: order.broker, dial: connect }),
    store: openSqliteStore({ folder, key: new Uint8Array(32).fill(5), holder: "bench" }),
    ...{ chains, clock, http: httpPort(() => order.server), random: Math.random },
  })
  opened = own
  void (async () => {
    for await (const event of own.events()) {
      if (event.kind === "message" && !event.message.sender.isSelf) shown.note()
      if (event.kind === "outbox" && event.delivered.state === "delivered") delivered.note()
    }
  })()
  await own.settled(30_000)
  return {}
}

async function obey(order: EngineOrder): Promise<Told> {
  switch (order.do) {
    case "open":
      return open(order)
    case "contact":
      await engine().contacts.add(order.address)
      conversation = (await engine().openDirect(order.chain)).id
      return {}
    case "send": {
      const atNs = process.hrtime.bigint()
      for (let i = 0; i < order.count; i++) await engine().send(conversation, { type: "text", text: order.text })
      return { atNs }
    }
    case "until-shown":
      return shown.until(order.total, order.last)
    case "until-delivered":
      return delivered.until(order.total, order.last)
    case "settle":
      await engine().settled(60_000)
      return {}
  }
}

answerBy(obey, async () => {
  await opened?.close()
  rmSync(folder, { recursive: true, force: true })
})
