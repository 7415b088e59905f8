/** Starts the real ActivityPub server of test/peers/fedify as a process and talks to it. */
import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"
import { peerFolder } from "./servers.ts"

const FOLDER = peerFolder("fedify")

export interface FediversePost {
  readonly id: string
  /** As typed; or `html` as served. */
  readonly text?: string
  readonly html?: string
  /** Another author's URL, as a liar would write. */
  readonly by?: string
  readonly isPinned?: boolean
}

export interface FediverseAccount {
  readonly username: string
  /** HTML as served; or `note` as typed. */
  readonly summary?: string
  readonly note?: string
  readonly fields?: ReadonlyArray<{ readonly name: string; readonly value: string; readonly html?: string }>
  readonly posts?: readonly FediversePost[]
  readonly type?: "Person" | "Service" | "Application" | "Group" | "Organization"
  /** Another id than its URL. */
  readonly id?: string
  readonly movedTo?: string
  /** Deleted: 410. */
  readonly isGone?: boolean
  /** WebFinger does not know it, the actor is there. */
  readonly isUnknown?: boolean
  /** Of Mastodon's API. */
  readonly token?: string
  /** The token may not write. */
  readonly isReadOnly?: boolean
}

export interface FediverseAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface FediverseSetup {
  /** The host of handles; "social.test" unless given. */
  readonly handleHost?: string
  /** The host of actors, posts and the API; the same unless given. */
  readonly webHost?: string
  /** Actors, posts and collections for signed requests only. */
  readonly secure?: boolean
  /** Before every answer. */
  readonly latencyMs?: number
  /** 2 unless given; a server of version 1 has no `/api/v2/instance`. */
  readonly apiVersion?: 1 | 2
  /** The API answers nobody without a token. */
  readonly apiClosed?: boolean
  /** False: the featured collection names posts by their URLs. */
  readonly embedPosts?: boolean
}

export interface FediverseState {
  readonly setup?: FediverseSetup
  /** By the key in the actor's URL: `https://<webHost>/users/<key>`. */
  readonly accounts?: Readonly<Record<string, FediverseAccount>>
  /** `host/path` to what a lying or broken server answers there. */
  readonly overrides?: Readonly<Record<string, FediverseAnswer>>
}

export interface FedifyServer {
  /** For the `hosts` of a net: public host to loopback origin. */
  readonly hosts: Readonly<Record<string, string>>
  /** Replaces accounts and overrides, and forgets what was asked. */
  set(state: FediverseState): Promise<void>
  /** `METHOD url` of every request since the last `set`. */
  asked(): Promise<readonly string[]>
  accounts(): Promise<Readonly<Record<string, FediverseAccount>>>
  close(): Promise<void>
}

export async function startFedifyServer(setup: FediverseSetup = {}): Promise<FedifyServer> {
  const child = fork(join(FOLDER, "server.mjs"), [], { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit", "ipc"] })
  const call = createCaller(child)
  const host = setup.handleHost ?? "social.test"
  const hosts = (await call("start", { handleHost: host, webHost: host, ...setup })) as Record<string, string>
  const read = async () =>
    (await call("read")) as { readonly accounts: Record<string, FediverseAccount>; readonly asked: readonly string[] }
  return {
    hosts,
    set: async (state) => void (await call("set", state)),
    asked: async () => (await read()).asked,
    accounts: async () => (await read()).accounts,
    async close() {
      const ended = new Promise((resolve) => child.once("exit", resolve))
      child.kill()
      await ended
    },
  }
}

interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

function createCaller(child: ChildProcess): (command: string, argument?: unknown) => Promise<unknown> {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastId = 0
  child.on("message", ({ id, result, error }: Reply) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(error))
  })
  child.on("exit", (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the ActivityPub server ended with ${code}`))
  })
  return (command, argument) =>
    new Promise((resolve, reject) => {
      lastId += 1
      waiting.set(lastId, { resolve, reject })
      child.send({ id: lastId, command, argument })
    })
}
