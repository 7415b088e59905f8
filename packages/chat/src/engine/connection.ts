/** The connection as the engine lives with it: a session at each reconnect, the mailbox from our own cursor on, and what a refusal means. */
import { KezError } from "@kez/core"
import type { MailboxItem } from "../transport/transport.ts"
import type { CommandAnswers } from "../wire/commands.ts"
import { ConnectSession, ensureCredential, fillKeyPackages, replaceLastResort } from "./account.ts"
import type { Desk } from "./desk.ts"
import type { ConnectionState } from "./engine.ts"
import { takeLive, takeMailbox } from "./incoming.ts"
import { groupAt, sendUnconfirmedAgain } from "./outbox-rows.ts"
import { decodeRow, type GroupRow, keys } from "./row.ts"
import { askStanding } from "./standing.ts"

type Session = CommandAnswers["session"]

/** What came is reported, so that the server can forget it: after so long. */
const reportMs = 10_000
/** Between questions about our own standing: longer each time. */
const firstStandingMs = 5_000
const maxStandingMs = 300_000

export class Connection {
  readonly #desk: Desk
  readonly #session: ConnectSession
  readonly #wakeAll: () => void
  #state: ConnectionState = { kind: "connecting" }
  /** Rises with each connection: what belongs to an earlier one stops. */
  #run = 0
  /** Rises with each session: what the reader of an earlier one brings is not taken, and its end opens no other. */
  #sessions = 0
  #waiting: MailboxItem[] = []
  #isTaking = false
  /** The store could not write: what comes is taken in the next session, which begins at the cursor. Behind it nothing is taken before it. */
  #isStalled = false
  /** The server gets key packages, without which nobody can write first to this device. */
  #isFilling = false
  /** Items of the mailbox that were there when the session began and have not come yet. */
  #backlog = 0
  #report: (() => void) | undefined
  #retry: (() => void) | undefined
  #askStandingAtMs = 0
  #standingsAsked = 0
  #refusals = 0

  constructor(desk: Desk, wakeAll: () => void) {
    this.#desk = desk
    this.#session = new ConnectSession(desk)
    this.#wakeAll = wakeAll
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** All that was in the mailbox is in the inbox, and the server has what others need to write to us. */
  get isCaughtUp(): boolean {
    return (
      this.#state.kind === "online" &&
      this.#backlog <= 0 &&
      this.#waiting.length === 0 &&
      !this.#isTaking &&
      !this.#isFilling
    )
  }

  async start(): Promise<void> {
    await this.#session.renew()
    await this.#desk.ports.transport.start({
      device: this.#desk.name,
      token: (nonce) => this.#session.token(nonce),
      on: {
        online: () => void this.#open(++this.#run),
        offline: (reason, isRefused) => void this.#lost(reason, isRefused).catch(this.#desk.fault),
        live: (_topic, bytes) => void takeLive(this.#desk, bytes).catch(() => undefined),
      },
    })
  }

  /** Nothing begins any more. */
  stop(): void {
    this.#run++
    this.#report?.()
    this.#retry?.()
  }

  /** Looks whether key packages or the credential are due. */
  async upkeep(): Promise<void> {
    await this.#session.renew()
    if (!this.#desk.isOnline) return
    const cursor = await this.#desk.turn(async (unit) => {
      const kept = (await unit.get<number>(keys.cursor)) ?? 0
      if (this.#desk.cursorAhead > kept) unit.put(keys.cursor, this.#desk.cursorAhead)
      return Math.max(kept, this.#desk.cursorAhead)
    })
    const isRenewed = await this.#desk.turn((unit) => ensureCredential(unit, this.#desk))
    // Nothing is opened by it; the answer of an empty put would do as well, if there were one.
    await this.#desk.request("cursor", { cursor })
    if (isRenewed) await fillKeyPackages(this.#desk, { key_packages: 0, last_resort: false }, true)
    else await replaceLastResort(this.#desk)
    if (isRenewed) this.#wakeAll()
  }

  async #open(run: number, attempt = 0): Promise<void> {
    const desk = this.#desk
    try {
      const cursor = (await desk.turn((unit) => unit.get<number>(keys.cursor))) ?? 0
      const { header } = await desk.request("session", { cursor })
      if (run !== this.#run || desk.isClosed) return
      this.#isFilling = true
      const number = ++this.#sessions
      await this.#began(header, cursor)
      void this.#read({ run, number }, header)
      await fillKeyPackages(desk, header, false)
      this.#isFilling = false
    } catch (error) {
      this.#isFilling = false
      if (run !== this.#run || desk.isClosed) return
      this.#again(run, attempt, error)
    }
  }

  async #began(session: Session, cursor: number): Promise<void> {
    const desk = this.#desk
    const { start, pending } = readInfo(session.info, cursor)
    this.#waiting = []
    this.#isStalled = false
    this.#backlog = pending
    desk.cursorAhead = 0
    if (start < cursor) await desk.turn(async (unit) => unit.put(keys.cursor, start))
    if (session.rewound) await this.#askConversations()
    desk.isOnline = true
    this.#refusals = 0
    this.#standingsAsked = 0
    this.#askStandingAtMs = 0
    this.#say({ kind: "online" })
    this.#wakeAll()
  }

  /** The broker lost something, or kept it from us: what nobody confirmed goes out again, and commits are asked for. */
  async #askConversations(): Promise<void> {
    await this.#desk.turn(async (unit) => {
      for (const { value } of await unit.rows(keys.groups)) {
        const { group, isRemoved } = decodeRow<GroupRow>(value).value
        if (isRemoved === true) continue
        await sendUnconfirmedAgain(unit, this.#desk, group)
        unit.put(keys.group(group), { ...(await groupAt(unit, group)), isBehind: true })
      }
    })
  }

  #again(run: number, attempt: number, error: unknown): void {
    const reason = error instanceof KezError ? error.message : "The session could not be opened"
    if (this.#state.kind !== "online") this.#say({ kind: "offline", reason })
    const { clock, random } = this.#desk.ports
    const waitMs = Math.min(30_000, 500 * 2 ** attempt) * (0.5 + random() / 2)
    this.#retry?.()
    this.#retry = clock.after(waitMs, () => {
      if (run === this.#run && !this.#desk.isClosed) void this.#open(run, attempt + 1)
    })
  }

  async #read(of: { readonly run: number; readonly number: number }, session: Session): Promise<void> {
    const isOver = (): boolean => of.run !== this.#run || of.number !== this.#sessions || this.#desk.isClosed
    try {
      for await (const item of this.#desk.ports.transport.mailbox(session)) {
        if (isOver()) return
        this.#waiting.push(item)
        this.#backlog--
        void this.#take()
      }
    } catch {
      // A reader that is gone is opened anew, like one that ended.
    }
    if (!isOver()) this.#again(of.run, 0, undefined)
  }

  /** All that is there in one step: a thousand messages cost one wait for the disk. */
  async #take(): Promise<void> {
    if (this.#isTaking || this.#isStalled) return
    this.#isTaking = true
    try {
      while (this.#waiting.length > 0) {
        // A session that begins meanwhile has a list of its own.
        const waiting = this.#waiting
        const items = waiting.slice(0, 256)
        const groups = await takeMailbox(this.#desk, items)
        waiting.splice(0, items.length)
        for (const group of groups) this.#desk.wake(group)
      }
      this.#reportSoon()
    } catch {
      // The store cannot write: the cursor stands, and the mailbox is read again from it.
      this.#isStalled = true
      if (!this.#desk.isClosed) this.#again(this.#run, 3, undefined)
    } finally {
      this.#isTaking = false
    }
  }

  #reportSoon(): void {
    if (this.#desk.isClosed) return
    this.#report?.()
    this.#report = this.#desk.ports.clock.after(reportMs, () => {
      void this.upkeep().catch(() => undefined)
    })
  }

  async #lost(reason: string, isRefused: boolean): Promise<void> {
    this.#run++
    this.#desk.isOnline = false
    if (this.#state.kind === "revoked" || this.#desk.isClosed) return
    this.#say({ kind: "offline", reason })
    if (!isRefused) return
    await this.#session.renew()
    this.#refusals++
    // The first refusal may be a server that is just starting.
    const nowMs = this.#desk.now() * 1_000
    if (this.#refusals < 2 || nowMs < this.#askStandingAtMs) return
    this.#askStandingAtMs = nowMs + Math.min(maxStandingMs, firstStandingMs * 2 ** this.#standingsAsked++)
    const code = await askStanding(this.#desk, this.#session)
    if (code !== "revoked") return
    this.#say({ kind: "revoked", reason: "The chat server signed that your sigchain revoked this device." })
    await this.#desk.ports.transport.close()
  }

  #say(state: ConnectionState): void {
    this.#state = state
    this.#desk.tell({ kind: "connection", connection: state })
  }
}

/** Where the reader begins, and how much is there. From JetStream's own words; what does not fit says nothing. */
function readInfo(info: string, cursor: number): { readonly start: number; readonly pending: number } {
  try {
    const value: unknown = JSON.parse(info)
    if (typeof value !== "object" || value === null) return { start: cursor, pending: 0 }
    const config = "config" in value && typeof value.config === "object" ? value.config : null
    const first = config !== null && "opt_start_seq" in config ? Number(config.opt_start_seq) : Number.NaN
    const pending = "num_pending" in value ? Number(value.num_pending) : 0
    return {
      start: Number.isSafeInteger(first) && first > 0 ? first - 1 : cursor,
      pending: Number.isSafeInteger(pending) && pending > 0 ? pending : 0,
    }
  } catch {
    return { start: cursor, pending: 0 }
  }
}
