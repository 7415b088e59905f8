/**
 * A real PLC directory and a real PDS (test/peers/atproto), with a reverse proxy before them as real servers have one:
 * a host map leads `plc.directory`, the PDS's own host and every handle to `http://127.0.0.1:port/<host>`.
 */
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import { createInterface } from "node:readline"
import { buffer } from "node:stream/consumers"
import { peerFolder } from "./servers.ts"

export const pdsHost = "pds.example.com"
const handleDomain = ".handles.example.com"
/** What the channel's canary looks for; only the real directory has it. */
const canary = { id: "did:plc:z72i7hdynmk6r22z27h6tvur", alsoKnownAs: ["at://bsky.app"] }
const adminPassword = "admin of this test"

export interface TestAccount {
  readonly handle: string
  readonly did: string
  /** Of the account itself. */
  readonly password: string
  readonly appPassword: string
  readonly token: string
}

export interface Seen {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly body: string
  readonly authorization: string | undefined
}

export interface AtprotoNetwork {
  /** For `createNet({ hosts })`: the directory, the PDS, and each handle given. */
  hostsOf(...handles: readonly string[]): Readonly<Record<string, string>>
  /** Answers in place of the server behind, for what a real one cannot be made to say. Undefined: passes on. */
  intercept: ((seen: Seen) => { readonly status: number; readonly body: unknown } | undefined) | undefined
  /** Runs before a request is passed on. */
  before: ((seen: Seen) => Promise<void>) | undefined
  /** Every request, in order. */
  readonly seen: readonly Seen[]
  createAccount(name: string): Promise<TestAccount>
  /** Calls the PDS directly; a POST where there is a body. Throws for any status but 200. */
  call(method: string, options: CallOptions): Promise<Readonly<Record<string, unknown>>>
  stop(): Promise<void>
}

export interface CallOptions {
  readonly body?: object
  readonly token?: string
  readonly asAdmin?: boolean
  /** A POST without a body. */
  readonly isBare?: boolean
}

export async function startAtproto(): Promise<AtprotoNetwork> {
  const folder = peerFolder("atproto")
  const child = spawn(process.execPath, ["serve.js", pdsHost, handleDomain, adminPassword], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
  })
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit").then(() => Promise.reject(new Error("the atproto servers ended at once"))),
  ])) as [string]
  const ports = JSON.parse(line) as { readonly plcPort: number; readonly pdsPort: number }
  const seen: Seen[] = []
  const proxy = createServer((incoming, outgoing) => {
    void pass(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
  const address = proxy.address()
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const [, host = "", rest = ""] = /^\/([^/]+)(.*)$/.exec(incoming.url ?? "") ?? []
    const body = await buffer(incoming)
    const { method = "GET", headers } = incoming
    const one = { method, host, path: rest, body: body.toString(), authorization: headers.authorization }
    seen.push(one)
    const isCanary = host === "plc.directory" && rest === `/${canary.id}`
    const instead = network.intercept?.(one) ?? (isCanary ? { status: 200, body: canary } : undefined)
    if (instead !== undefined) {
      const text = typeof instead.body === "string" ? instead.body : JSON.stringify(instead.body)
      const type = typeof instead.body === "string" ? "text/html" : "application/json"
      outgoing.writeHead(instead.status, { "content-type": type }).end(text)
      return
    }
    await network.before?.(one)
    const port = host === "plc.directory" ? ports.plcPort : ports.pdsPort
    const behind = request({ host: "127.0.0.1", port, method, path: rest, headers: { ...headers, host } }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    behind.on("error", () => outgoing.destroy())
    behind.end(body)
  }

  async function call(method: string, { body, token, asAdmin, isBare }: CallOptions): Promise<Record<string, unknown>> {
    const basic = `Basic ${Buffer.from(`admin:${adminPassword}`).toString("base64")}`
    const authorization = asAdmin ? basic : token === undefined ? undefined : `Bearer ${token}`
    const answer = await fetch(`http://127.0.0.1:${ports.pdsPort}/xrpc/${method}`, {
      method: body === undefined && isBare !== true ? "GET" : "POST",
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`${method}: HTTP ${answer.status} ${text}`)
    return text === "" ? {} : JSON.parse(text)
  }

  const network: AtprotoNetwork = {
    intercept: undefined,
    before: undefined,
    seen,
    call,
    hostsOf: (...handles) =>
      Object.fromEntries(["plc.directory", pdsHost, ...handles].map((host) => [host, `${origin}/${host}`])),
    async createAccount(name) {
      const handle = `${name}${handleDomain}`
      const password = `password of ${name}`
      const account = { handle, email: `${randomUUID()}@example.com`, password }
      const { did, accessJwt } = await call("com.atproto.server.createAccount", { body: account })
      const token = String(accessJwt)
      const made = await call("com.atproto.server.createAppPassword", { body: { name: "kez" }, token })
      return { handle, did: String(did), password, appPassword: String(made["password"]), token }
    },
    async stop() {
      proxy.closeAllConnections()
      proxy.close()
      child.stdin.end()
      if (child.exitCode === null) await once(child, "exit")
    },
  }
  return network
}
