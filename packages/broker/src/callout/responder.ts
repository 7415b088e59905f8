/** Answers nats-server when it asks who may connect. Several of them share the work in one queue group. */
import type { Code } from "@kez/core"
import { KezError } from "@kez/core"
import type { Msg, NatsConnection } from "@nats-io/transport-node"
import { maxCalloutAtOnce, maxCalloutBytes, maxCalloutWaiting } from "../limits.ts"
import type { Nkey } from "../nkey.ts"
import { type Admission, encodeAdmission, encodeRefusal } from "./answer.ts"
import { type Boxes, createBoxes } from "./box.ts"
import { type CalloutRequest, type ClientInfo, parseCalloutRequest, type ServerIdentity } from "./request.ts"

const subject = "$SYS.REQ.USER.AUTH"
const queue = "kez-callout"
const keyHeader = "Nats-Server-Xkey"

/** A client that wants in. */
export interface ConnectAttempt {
  readonly nonce: string | undefined
  readonly token: string | undefined
  readonly client: ClientInfo
  readonly server: ServerIdentity
}

export type Decision =
  | { readonly admit: Admission }
  /** The reason goes into the log of nats-server, not to the client. Constant text: nothing that the client sent. */
  | { readonly refuse: string }

export interface ResponderOptions {
  /** A connection of the user of account AUTH. */
  readonly connection: NatsConnection
  /** Of the account key that the configuration names as issuer, and the X25519 key that it names as xkey. */
  readonly issuer: Nkey
  readonly xkey: Nkey
  readonly decide: (attempt: ConnectAttempt) => Promise<Decision> | Decision
  readonly nowSeconds?: () => number
  /** Told of requests that get no answer, because they are unreadable, too late or too many; and of faults of `decide`. */
  readonly onDropped?: (code: Code, error?: unknown) => void
}

export interface Responder {
  /** Requests that wait or are being decided. */
  readonly waiting: number
  /** Takes no more, and resolves when all that it took are answered. */
  stop(): Promise<void>
}

/** Starts answering. Drops what it cannot answer in time: the server would not listen any more, and others wait. */
export function startResponder(options: ResponderOptions): Responder {
  const { connection, onDropped = () => {} } = options
  const answer = answerer(options)
  const queued: Msg[] = []
  let running = 0
  const work = async (): Promise<void> => {
    running += 1
    // The newest first: a client that has waited long has given up, or is about to, and comes again.
    for (let message = queued.pop(); message !== undefined; message = queued.pop()) {
      await answer(message).catch((error: unknown) =>
        onDropped(error instanceof KezError ? error.code : "internal", error),
      )
    }
    running -= 1
  }
  const subscription = connection.subscribe(subject, {
    queue,
    callback: (error, message) => {
      if (error !== null) return
      queued.push(message)
      if (queued.length > maxCalloutWaiting) {
        queued.shift()
        onDropped("net.busy")
      }
      if (running < maxCalloutAtOnce) void work()
    },
  })
  return {
    get waiting() {
      return queued.length + running
    },
    async stop() {
      await subscription.drain()
      while (queued.length + running > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    },
  }
}

function answerer(options: ResponderOptions): (message: Msg) => Promise<void> {
  const { issuer, decide, onDropped = () => {}, nowSeconds = () => Math.floor(Date.now() / 1000) } = options
  const boxes = createBoxes(options.xkey)
  return async (message) => {
    const { request, serverKey } = openRequest(message, boxes)
    if (request.expiresAtSeconds <= nowSeconds()) return onDropped("auth.time")
    const { nonce, token, client, server } = request
    const decision = await decideOrRefuse(decide, { nonce, token, client, server }, onDropped)
    if (request.expiresAtSeconds <= nowSeconds()) return onDropped("auth.time")
    const by = { issuer, nowSeconds: nowSeconds() }
    const response =
      "admit" in decision
        ? encodeAdmission(request, { admission: decision.admit, ...by })
        : encodeRefusal(request, { reason: decision.refuse, ...by })
    message.respond(boxes.seal(Buffer.from(response), serverKey))
  }
}

/** A fault of ours is no reason to let a client wait for half a minute: it is turned away, and comes again. */
async function decideOrRefuse(
  decide: ResponderOptions["decide"],
  attempt: ConnectAttempt,
  onFault: NonNullable<ResponderOptions["onDropped"]>,
): Promise<Decision> {
  try {
    return await decide(attempt)
  } catch (error) {
    onFault(error instanceof KezError ? error.code : "internal", error)
    return { refuse: "cannot decide now" }
  }
}

interface OpenedRequest {
  readonly request: CalloutRequest
  /** `X…` of the server: our answer is sealed for it. */
  readonly serverKey: string
}

function openRequest(message: Msg, boxes: Boxes): OpenedRequest {
  if (message.data.length > maxCalloutBytes) {
    throw new KezError("limit.size", `Cannot read the server's question: expected at most ${maxCalloutBytes} bytes`)
  }
  const serverKey = message.headers?.get(keyHeader) ?? ""
  // A question in the clear would mean that our configuration is not the one in force.
  if (serverKey === "") throw new KezError("key.unlock", "Cannot open the server's question: it is not sealed")
  return {
    request: parseCalloutRequest(Buffer.from(boxes.open(message.data, serverKey)).toString("latin1")),
    serverKey,
  }
}
