/** What the same broker does without a chat: one side publishes into a stream and waits for the acknowledgement, the other pulls. */
import { connectService, createBrokerStore, readBrokerKeys } from "@kez/broker"
import { jetstream } from "@nats-io/jetstream"
import { Arrivals, answerBy, type Told } from "./processes.ts"

export type BareOrder =
  | { readonly do: "open"; readonly url: string; readonly keyFolder: string; readonly isReader: boolean }
  /** One after the other, each acknowledged; answers with the moment before the first. */
  | { readonly do: "send"; readonly bytes: number; readonly count: number }
  | { readonly do: "until-shown"; readonly total: number; readonly last: number }

/** Of nobody: a place in the streams. */
const device = { uid: "b".repeat(32), dev: "c".repeat(32) }
const shown = new Arrivals()
let send: (data: Uint8Array) => Promise<unknown> = () => Promise.reject(new Error("not open yet"))
let close: () => Promise<void> = async () => {}
let sent = 0

async function open({ url, keyFolder, isReader }: BareOrder & { readonly do: "open" }): Promise<Told> {
  const keys = readBrokerKeys(keyFolder)
  const connection = await connectService({ url, key: keys.store, name: "kez-bench" })
  close = () => connection.close()
  const store = await createBrokerStore({ connection, mailboxSecret: keys.mailboxSecret })
  await store.ensureStreams()
  send = (data) => store.deliver({ uid: device.uid, id: `bench ${process.pid} ${sent++}`, data })
  if (!isReader) return {}
  const { consumer } = await store.openSession(device, 0)
  const messages = await jetstream(connection)
    .consumers.getConsumerFromInfo(consumer)
    .consume({ bind: true, max_messages: 128, expires: 30_000, callback: () => shown.note() })
  close = async () => {
    await messages.close()
    await connection.close()
  }
  return {}
}

async function obey(order: BareOrder): Promise<Told> {
  switch (order.do) {
    case "open":
      return open(order)
    case "send": {
      const data = new Uint8Array(order.bytes).fill(7)
      const atNs = process.hrtime.bigint()
      for (let i = 0; i < order.count; i++) await send(data)
      return { atNs }
    }
    case "until-shown":
      return shown.until(order.total, order.last)
  }
}

answerBy(obey, () => close())
