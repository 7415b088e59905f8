/**
 * One of many clients: the real transport, the real cursor and an outbox, without MLS, so that a process holds hundreds of them. What it does after a
 * loss of its line is what the engine does (packages/chat/src/engine/connection.ts).
 */
import { createHash } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import {
  type CommandAnswers,
  type CommandRequests,
  decodeAnswer,
  decodeDelivery,
  encodeRequest,
  type Operation,
  type WithParts,
} from "@kez/chat"
import { createNatsTransport } from "@kez/chat/nats"
import { createConnectToken } from "@kez/core"
import { connect } from "@nats-io/transport-node"
import { nowSeconds } from "./chat-server.ts"
import type { WorldDevice } from "./chat-world.ts"

export interface Shown {
  readonly conversation: string
  readonly text: string
}

export interface CrowdMember {
  readonly device: WorldDevice
  /** In the order in which they were shown. */
  readonly shown: readonly Shown[]
  /** Texts that the server has said it has. */
  readonly acknowledged: readonly Shown[]
  readonly isOnline: boolean
  /** Messages that wait for the server. */
  readonly waiting: number
  /** How often the server said that it lost what was there. */
  readonly rewound: number
  /** How often its connection ended. */
  readonly losses: number
  start(): void
  ask<O extends Operation>(
    operation: O,
    request: CommandRequests[O],
    parts?: readonly Uint8Array[],
  ): Promise<WithParts<CommandAnswers[O]>>
  /** Into the outbox; goes out in its order, each until it is answered. */
  say(conversation: string, text: string): void
  close(): Promise<void>
}

export interface MemberSetup {
  readonly device: WorldDevice
  readonly broker: string
  /** Instead of one by the device's own session. */
  readonly token?: (nonce: string | undefined) => string
}

export const idOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`

/** Between attempts of what failed, spread. */
const againMs = () => 250 + Math.random() * 250

export function createMember({ device, broker, token }: MemberSetup): CrowdMember {
  const transport = createNatsTransport({ servers: broker, dial: connect })
  const shown: Shown[] = []
  const acknowledged: Shown[] = []
  const outbox: Shown[] = []
  const state = { run: 0, cursor: 0, isOnline: false, rewound: 0, losses: 0, isClosed: false, isSending: false }

  const ask: CrowdMember["ask"] = async (operation, request, parts = []) =>
    decodeAnswer(operation, await transport.request(operation, encodeRequest(operation, request, parts)))

  const open = async (run: number): Promise<void> => {
    const isCurrent = (): boolean => run === state.run && !state.isClosed
    while (isCurrent()) {
      try {
        const { header } = await ask("session", { cursor: state.cursor })
        if (!isCurrent()) return
        state.isOnline = true
        if (header.rewound) state.rewound += 1
        void send()
        for await (const { seq, bytes } of transport.mailbox(header)) {
          if (!isCurrent()) return
          if (seq <= state.cursor) continue
          state.cursor = seq
          const { kind, conversation, data } = decodeDelivery(bytes)
          if (kind === "message") shown.push({ conversation, text: Buffer.from(data).toString() })
        }
      } catch {
        // As one that ended: opened anew.
      }
      await sleep(againMs())
    }
  }

  const send = async (): Promise<void> => {
    if (state.isSending) return
    state.isSending = true
    for (let next = outbox[0]; next !== undefined && !state.isClosed; next = outbox[0]) {
      const { conversation, text } = next
      try {
        await ask("send", { conversation, id: idOf(text) }, [Buffer.from(text)])
        acknowledged.push(next)
        outbox.shift()
      } catch {
        await sleep(againMs())
      }
    }
    state.isSending = false
  }

  return {
    device,
    shown,
    acknowledged,
    get isOnline() {
      return state.isOnline
    },
    get waiting() {
      return outbox.length
    },
    get rewound() {
      return state.rewound
    },
    get losses() {
      return state.losses
    },
    start() {
      const own = (nonce: string | undefined) => createConnectToken({ ...device, nonce, nowSeconds: nowSeconds() })
      void transport.start({
        device,
        token: token ?? own,
        on: {
          online: () => void open(++state.run),
          offline: () => {
            state.run += 1
            state.losses += state.isOnline ? 1 : 0
            state.isOnline = false
          },
          live: () => undefined,
        },
      })
    },
    ask,
    say(conversation, text) {
      outbox.push({ conversation, text })
      void send()
    },
    async close() {
      state.isClosed = true
      await transport.close()
    },
  }
}
