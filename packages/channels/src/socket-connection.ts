/**
 * One WebSocket over a connection of its own. SPEC §7.2.
 * It trusts its caller about where to connect and guards everything else: TLS, sizes, silence.
 */
import type { ClientRequest, IncomingMessage } from "node:http"
import type { URL } from "node:url"
import { KezError } from "@kez/core"
import { WebSocket } from "ws"
import type { MessageSocket } from "./channel.ts"
import { connectionsBy, type Dial } from "./dial.ts"
import { answerWith, explain, maxInterimAnswers, type Phase } from "./exchange.ts"
import { userAgent } from "./fetch.ts"
import { createInbox } from "./inbox.ts"
import type { FetchLimits, SocketLimits } from "./limits.ts"
import { RateLimitError } from "./rate-limit.ts"
import { readRetryAfter } from "./retry-after.ts"
import { isRedirect } from "./url.ts"

export interface SocketRequest {
  /** Where to connect, as an `http:` or `https:` URL. */
  readonly url: URL
  /** The host as everyone names it, for messages. */
  readonly name: string
  /** The addresses to connect to, checked by the caller. Undefined: the system resolves a configured host. */
  readonly addresses?: readonly string[] | undefined
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | undefined
  /** Node's own connections unless given. */
  readonly dial?: Dial | undefined
  readonly limits: Pick<FetchLimits, "idleMs" | "maxHeaderBytes"> & SocketLimits
  /** Unix seconds. */
  readonly now: () => number
}

export interface Connection {
  readonly socket: MessageSocket
  /** Resolves when the connection is destroyed, whoever ended it. */
  readonly ended: Promise<void>
}

/** Opens the socket. The signal ends it at any time. Throws KezError `net.*`, or the signal's reason. */
export async function connect(request: SocketRequest, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted()
  const { name, limits } = request
  const inbox = createInbox()
  const opened = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  let phase: Phase = "connecting"
  let isOpen = false

  /** The first reason counts. Without one, the other side or the caller has closed. */
  const end = (reason?: unknown) => {
    signal.removeEventListener("abort", onAbort)
    webSocket.terminate()
    inbox.end(reason)
    if (!isOpen) opened.reject(reason ?? closedEarly(name))
    ended.resolve()
  }
  const reach = (reached: Phase) => {
    phase = reached
  }
  const onAbort = () => {
    inbox.clear()
    end(signal.reason)
  }

  const webSocket = new WebSocket(request.url, {
    ...optionsOf(request),
    finishRequest(outgoing) {
      watchOpening(outgoing, { name, idleMs: limits.idleMs, end, reach })
      outgoing.end()
    },
  })
  signal.addEventListener("abort", onAbort, { once: true })
  webSocket.on("error", (error) => end(explainFailure(error, phase, request)))
  webSocket.on("close", () => end())
  webSocket.on("unexpected-response", (_request, response) => end(explainAnswer(response, request)))
  webSocket.on("upgrade", (response) =>
    // Once it is open: the library takes the time limit off the connection just before.
    webSocket.once("open", () => {
      phase = "talking"
      watchTalk(response, request, end)
      isOpen = true
      opened.resolve()
    }),
  )
  webSocket.on("message", (data, isBinary) => {
    if (isBinary) end(new KezError("net.http", `Cannot talk with ${name}: expected text, got a binary message`))
    else inbox.put(data.toString())
  })
  await opened.promise
  return {
    ended: ended.promise,
    socket: {
      send(text) {
        if (webSocket.readyState !== WebSocket.OPEN) throw closedEarly(name)
        // What fails here closes the connection as well, and is told there.
        webSocket.send(text, () => {})
      },
      messages: () => inbox.read(),
      close() {
        inbox.clear()
        end()
      },
    },
  }
}

function optionsOf({ url, addresses, ca, dial, limits }: SocketRequest) {
  const isSecure = url.protocol === "https:"
  return {
    headers: { "user-agent": userAgent },
    handshakeTimeout: limits.idleMs,
    maxPayload: limits.maxMessageBytes,
    // A compressed message may be a bomb, and text this short gains little.
    perMessageDeflate: false,
    followRedirects: false,
    skipUTF8Validation: false,
    maxHeaderSize: limits.maxHeaderBytes,
    // Said outright, so that neither NODE_TLS_REJECT_UNAUTHORIZED nor --insecure-http-parser weakens it.
    rejectUnauthorized: true,
    insecureHTTPParser: false,
    minVersion: "TLSv1.2" as const,
    autoSelectFamilyAttemptTimeout: 1_000,
    ...(ca === undefined ? {} : { ca }),
    ...(dial === undefined ? {} : { createConnection: connectionsBy(dial, { isSecure }) }),
    ...(addresses === undefined ? {} : { lookup: answerWith(addresses) }),
  }
}

interface Opening {
  readonly name: string
  readonly idleMs: number
  readonly end: (reason: unknown) => void
  readonly reach: (phase: Phase) => void
}

function watchOpening(outgoing: ClientRequest, { name, idleMs, end, reach }: Opening): void {
  let interim = 0
  outgoing.on("information", () => {
    interim += 1
    if (interim > maxInterimAnswers) {
      end(new KezError("net.http", `Cannot talk with ${name}: expected an answer, got interim answers only`))
    }
  })
  outgoing.on("timeout", () => end(silence(name, idleMs)))
  outgoing.on("socket", (socket) => {
    socket.on("connect", () => reach("encrypted" in socket ? "securing" : "talking"))
    socket.on("secureConnect", () => reach("talking"))
  })
}

/** Counts every byte, those of control frames too, and how long none comes. */
function watchTalk({ socket }: IncomingMessage, { name, limits }: SocketRequest, end: (reason: unknown) => void): void {
  let received = 0
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length
    if (received > limits.maxSocketBytes) end(tooMuch(name, `${limits.maxSocketBytes} bytes in all`))
  })
  socket.setTimeout(limits.idleMs, () => end(silence(name, limits.idleMs)))
}

function explainAnswer({ statusCode = 0, headers }: IncomingMessage, { name, now }: SocketRequest): KezError {
  if (isRedirect(statusCode)) {
    return new KezError("net.redirect", `Cannot talk with ${name}: expected a WebSocket, got a redirect`)
  }
  const retryAfterSeconds = readRetryAfter(statusCode, headers, now())
  if (statusCode === 429 && retryAfterSeconds !== undefined) return new RateLimitError(name, retryAfterSeconds)
  return new KezError("net.status", `Cannot talk with ${name}: expected a WebSocket, got HTTP ${statusCode}`)
}

function explainFailure(error: Error, phase: Phase, { name, limits }: SocketRequest): KezError {
  const isTooLong = "code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"
  return isTooLong ? tooMuch(name, `${limits.maxMessageBytes} bytes a message`) : explain(error, phase, name)
}

function closedEarly(name: string): KezError {
  return new KezError("net.refused", `Cannot talk with ${name}: expected an open connection, got a closed one`)
}

function silence(name: string, idleMs: number): KezError {
  return new KezError("net.timeout", `Cannot talk with ${name}: expected a byte within ${idleMs} ms, got none`)
}

function tooMuch(name: string, bound: string): KezError {
  return new KezError("limit.body", `Cannot read what ${name} sends: expected at most ${bound}, got more`)
}
