/** Takes commands of devices from the broker and answers them. Several copies of the server share them in one queue group. */
import { commandSubjects, parseCommand } from "@kez/broker"
import { decodeRequest, encodeAnswer, encodeRefusal, isOperation, type Operation } from "@kez/chat"
import { type BrokerDevice, KezError } from "@kez/core"
import type { Msg, NatsConnection } from "@nats-io/transport-node"
import type { DeviceRow, Devices } from "../broker/devices.ts"
import { maxCommandsAtOnce, maxCommandsOfPerson } from "../limits.ts"
import { busy, ComeAgain } from "./come-again.ts"
import type { Handlers } from "./command.ts"
import type { Asked } from "./rate-limit.ts"

export interface RouterOptions {
  /** Of account CHAT. */
  readonly connection: NatsConnection
  readonly handlers: Handlers
  readonly devices: Devices
  readonly limit: (uid: string, asked: Asked) => void
  /** A device is connected that nobody let in, as far as the database knows: it has to come again. */
  readonly onStranger: (device: BrokerDevice) => void
  readonly onDone: (done: { readonly operation: string; readonly result: string; readonly seconds: number }) => void
  readonly onFault: (operation: string, error: unknown) => void
}

export interface Router {
  /** Takes no more, and resolves when all that it took are answered. */
  stop(): Promise<void>
}

export function startRouter(options: RouterOptions): Router {
  const { connection, onDone } = options
  const running = new Set<Promise<void>>()
  const ofPerson = new Map<string, number>()
  const count = (uid: string, by: 1 | -1): void => {
    const now = (ofPerson.get(uid) ?? 0) + by
    if (now === 0) ofPerson.delete(uid)
    else ofPerson.set(uid, now)
  }
  const subscription = connection.subscribe(commandSubjects, {
    queue: "kez-chat",
    callback: (error, message) => {
      if (error !== null) return
      const command = parseCommand(message.subject, message.reply)
      // Neither obeyed nor answered: no client of ours asks like that.
      if (command === undefined) return onDone({ operation: "none", result: "dropped", seconds: 0 })
      const { uid } = command.device
      if (running.size >= maxCommandsAtOnce || (ofPerson.get(uid) ?? 0) >= maxCommandsOfPerson) {
        onDone({ operation: "none", result: "net.busy", seconds: 0 })
        message.respond(encodeRefusal(busy(), busy().retryAfterSeconds))
        return
      }
      count(uid, 1)
      const work = answer(options, command, message).finally(() => {
        count(uid, -1)
        running.delete(work)
      })
      running.add(work)
    },
  })
  return {
    async stop() {
      await subscription.drain()
      await Promise.all(running)
      await connection.flush().catch(() => undefined)
    },
  }
}

async function answer(
  { handlers, devices, limit, onStranger, onDone, onFault }: RouterOptions,
  { device, operation }: { readonly device: BrokerDevice; readonly operation: string },
  message: Msg,
): Promise<void> {
  const start = performance.now()
  const isKnown = isOperation(operation)
  const done = (result: string): void =>
    onDone({ operation: isKnown ? operation : "none", result, seconds: (performance.now() - start) / 1_000 })
  try {
    // What is no command counts as well: it is answered.
    limit(device.uid, { operation: isKnown ? operation : undefined, bytes: message.data.length })
    if (!isKnown) throw new KezError("usage", "Cannot do that: this server has no such command; it may be older")
    const caller = await devices.find(device)
    if (caller === undefined || caller.revokedSeq !== undefined) {
      onStranger(device)
      throw new KezError("auth.refused", "Cannot do that: this device may not connect", {
        hint: "Connect again: the server says then what is wrong.",
      })
    }
    message.respond(await run(handlers, operation, { caller, bytes: message.data }))
    done("ok")
  } catch (error) {
    const known = error instanceof KezError ? error : new KezError("internal", "Cannot do that: a defect of the server")
    if (known.code === "internal" || known.code.startsWith("store.") || known.code === "broker.refused") {
      onFault(operation, error)
    }
    message.respond(encodeRefusal(known, error instanceof ComeAgain ? error.retryAfterSeconds : undefined))
    done(known.code)
  }
}

async function run<O extends Operation>(
  handlers: Handlers,
  operation: O,
  { caller, bytes }: { readonly caller: DeviceRow; readonly bytes: Uint8Array },
): Promise<Uint8Array> {
  const request = decodeRequest(operation, bytes)
  const { answer: header, parts } = await handlers[operation](caller, request)
  return encodeAnswer(operation, header, parts)
}
