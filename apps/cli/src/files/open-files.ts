/** The files part beside an open chat: kez-iroh, its folder, and who is told what becomes of transfers. */
import { randomBytes } from "node:crypto"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { isPublicUrl } from "@kez/channels"
import { type FilePorts, Files, type TransferListener } from "@kez/chat"
import { createNodeDisk, startIroh } from "@kez/chat/iroh"
import { KezError } from "@kez/core"
import { aboutHost } from "../account/chat-host.ts"
import { folderOf } from "../account/records.ts"
import type { OpenChat } from "../chat/open-chat.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import { findIroh } from "./find-iroh.ts"
import { assertWays, readWays, type Say, tell, tellWays, type WayOptions } from "./ways.ts"

export interface FileOptions extends WayOptions {
  /** Bytes a second. */
  readonly limitRate?: string | undefined
}

interface OpenFilesOptions extends FileOptions {
  readonly tell: TransferListener
  readonly listen?: Pick<FilePorts, "onBrowsing" | "onServed">
  /** Where it is said who sees what, where that is not stderr. */
  readonly say?: Say | undefined
  /** What was fetched is given to other members: where this stays open. */
  readonly passesOn?: boolean
}

export interface OpenFiles {
  readonly files: Files
  /** Rejects when kez-iroh ends by itself. */
  readonly stopped: Promise<never>
  close(): Promise<void>
}

export async function openFiles(
  context: Context,
  chat: OpenChat,
  { limitRate, tell: listener, say, passesOn = false, listen = {}, ...options }: OpenFilesOptions,
): Promise<OpenFiles> {
  if (limitRate !== undefined) readRate(limitRate)
  const { host } = chat.account
  const ways = await readWays(context, { host, relays: () => relaysOf(context, chat) }, options)
  const folder = join(folderOf(context.paths, chat.account), `files-${chat.account.host}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const disk = createNodeDisk(folder)
  // The mover writes lists there before anything else does.
  mkdirSync(disk.lists, { recursive: true, mode: 0o700 })
  const program = findIroh(context)
  // Before anything can be seen.
  tellWays(context, folder, { ways, say })
  const mover = await startIroh({ program, data: join(folder, "store"), ...ways })
  if (!ways.direct && mover.address().relay === undefined)
    tell(context, "the relay does not answer yet: nobody can be reached before it does", say)
  let fail: (error: Error) => void = () => undefined
  const stopped = new Promise<never>((_, reject) => {
    fail = reject
  })
  stopped.catch(() => undefined) // whoever waits hears it
  const files = new Files(
    {
      ...{ engine: chat.engine, mover, disk, passesOn, newId: () => randomBytes(32).toString("hex") },
      clock: { now: () => context.now(), after: afterTimer },
      ...(limitRate === undefined ? {} : { maxRate: readRate(limitRate) }),
      ...listen,
      onFault: (error) => fail(error instanceof Error ? error : new Error(String(error))),
    },
    listener,
    (reason) => fail(new KezError("file.program", `Cannot go on: kez-iroh ended: ${reason}`)),
  )
  files.start()
  // Whatever files are moved for, what is shared is given meanwhile.
  void files.shares.open().catch((error: unknown) => {
    if (!(error instanceof KezError)) return fail(error instanceof Error ? error : new Error(String(error)))
    context.warn(`what you share is not given now: ${printable(error.message, 300)} [${error.code}]`)
  })
  return { files, stopped, close: () => files.close() }
}

/** At the end of a command that fetches. A mover that does not answer is ended with `close`, and not waited for again. */
export async function pauseFetches({ warn }: Pick<Context, "warn">, files: Files): Promise<void> {
  if (!(await files.pauseAll()))
    warn("kez-iroh did not answer within 5 seconds and is ended: what is here is kept as far as it was written")
}

/** For `catch` around a command: where the chat is open, it moves files itself. `typed`: what to type there. */
export function sayWhatToType(error: unknown, typed: string): never {
  if (!(error instanceof KezError) || error.code !== "store.busy" || !error.message.includes(" kez chat (")) throw error
  throw new KezError("store.busy", error.message, { hint: `The open chat does it. Type there: ${typed}`, cause: error })
}

/** Of what can be known before anything is opened. Throws `usage`. */
export function assertFileOptions(context: Pick<Context, "settings">, { limitRate, ...ways }: FileOptions): void {
  assertWays(context, ways)
  if (limitRate !== undefined) readRate(limitRate)
}

/** A server may not point into the private network of its users, unless it is one that they configured themselves. */
async function relaysOf({ settings }: Context, { account: { host }, demands }: OpenChat): Promise<readonly string[]> {
  const { relays } = await aboutHost(await demands.net(), host, demands.timeoutMs)
  return relays.filter((url) => settings.hosts.value[host] !== undefined || isPublicUrl(url))
}

function afterTimer(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}

function readRate(text: string): number {
  const rate = Number(text)
  if (Number.isSafeInteger(rate) && rate >= 1_024) return rate
  throw new KezError("usage", "Cannot use that rate: expected a number of bytes a second, at least 1024")
}
