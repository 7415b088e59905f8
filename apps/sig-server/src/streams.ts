/** Readers that wait for changes of a chain: one message is made for a change, whoever reads it. SPEC STORE-11 */

import type { ServerResponse } from "node:http"
import { networkOf, Problem } from "@kez/server"
import type { ChainService, ChainView } from "./chain-service.ts"
import { maxStreamBacklogBytes, streamHeartbeatMs } from "./http-limits.ts"
import type { Metrics } from "./metrics.ts"
import { changeBetween, changeSincePosition, formatMessage, type Position } from "./stream-message.ts"

export interface StreamLimits {
  readonly total: number
  readonly perIp: number
}

export interface StreamRequest {
  readonly chain: string
  readonly address: string
  /** Where the reader is; undefined: it wants to know the end, and what comes after. */
  readonly last: Position | undefined
}

interface Topic {
  /** What every reader of the topic has been told. */
  view: ChainView | undefined
  readonly readers: Set<Reader>
  /** Readers, and those that have not been told anything yet. */
  followers: number
}

interface Reader {
  readonly response: ServerResponse
  readonly network: string
  /** Bytes that waited at the last heartbeat. */
  waiting: number
}

export interface StreamHub {
  /** Throws 429 or 503 where there are too many streams. */
  assertRoom(address: string): void
  /** Begins to follow a chain, before anything is sent. `start` sends the first message; `stop` is for a reader that is gone. */
  open(request: StreamRequest, response: ServerResponse): { start(view: ChainView): void; stop(): void }
  close(): void
}

const noRoom = { code: "net.busy", headers: { "retry-after": "60" } } as const

export function createStreamHub(service: ChainService, limits: StreamLimits, metrics: Metrics): StreamHub {
  const topics = new Map<string, Topic>()
  const perNetwork = new Map<string, number>()
  let total = 0
  let isClosed = false

  const count = (network: string, change: 1 | -1): void => {
    total += change
    const next = (perNetwork.get(network) ?? 0) + change
    if (next === 0) perNetwork.delete(network)
    else perNetwork.set(network, next)
    metrics.streamsOpen(total)
  }

  /** Tells the readers of a topic what a newer version of its chain brings. */
  const advance = (topic: Topic, view: ChainView): void => {
    const before = topic.view
    // Two changes may be told in another order than they happened; events only ever become more.
    if (before !== undefined && view.size <= before.size) return
    topic.view = view
    if (before === undefined || topic.readers.size === 0) return
    const message = formatMessage(changeBetween(before, view))
    for (const reader of topic.readers) send(reader, message)
  }

  /** Their readers come back and say what they know. */
  const endAll = (): void => {
    for (const topic of topics.values()) {
      topic.view = undefined
      for (const { response } of topic.readers) response.end()
    }
  }

  const stopWatching = service.watch((view) => {
    const topic = topics.get(view.chain)
    if (topic !== undefined) advance(topic, view)
  }, endAll)

  const send = (reader: Reader, message: string): void => {
    if (reader.response.writableLength > maxStreamBacklogBytes) cut(reader, "slow")
    else reader.response.write(message)
  }

  const cut = ({ response }: Reader, reason: string): void => {
    metrics.streamCut(reason)
    response.destroy()
  }

  const heartbeat = setInterval(() => {
    for (const { readers } of topics.values()) {
      for (const reader of readers) {
        const { writableLength } = reader.response
        // What waited then and waits still: nobody reads.
        if (reader.waiting > 0 && writableLength >= reader.waiting) cut(reader, "stuck")
        else reader.response.write(": \n\n")
        reader.waiting = writableLength
      }
    }
  }, streamHeartbeatMs)
  heartbeat.unref()

  return {
    assertRoom(address) {
      if (total >= limits.total) {
        throw new Problem({ ...noRoom, status: 503, detail: "Cannot open the stream: too many are open" })
      }
      if ((perNetwork.get(networkOf(address)) ?? 0) >= limits.perIp) {
        throw new Problem({
          ...noRoom,
          status: 429,
          detail: "Cannot open the stream: too many are open from this address",
        })
      }
    },
    open({ chain, address, last }, response) {
      const reader: Reader = { response, network: networkOf(address), waiting: 0 }
      const topic = topics.get(chain) ?? { view: undefined, readers: new Set(), followers: 0 }
      topics.set(chain, topic)
      topic.followers += 1
      count(reader.network, 1)
      let isOpen = true
      return {
        start(view) {
          // It may have left while its chain was looked up.
          if (!isOpen) return
          if (isClosed) return void response.end()
          // The topic may be ahead of this view, or behind it.
          advance(topic, view)
          const newest = topic.view ?? view
          topic.readers.add(reader)
          response.write(formatMessage(changeSincePosition(newest, last ?? newest.replay.head)))
        },
        stop() {
          if (!isOpen) return
          isOpen = false
          count(reader.network, -1)
          topic.readers.delete(reader)
          topic.followers -= 1
          if (topic.followers === 0) topics.delete(chain)
        },
      }
    },
    close() {
      isClosed = true
      stopWatching()
      clearInterval(heartbeat)
      endAll()
    },
  }
}
