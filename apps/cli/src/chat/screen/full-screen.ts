/** `kez chat` on the whole screen: keys and events in, rows out. */
import { setImmediate as nextTurn } from "node:timers/promises"
import type { TransferNote, TransferView } from "@kez/chat"
import { KezError } from "@kez/core"
import type { Context } from "../../context.ts"
import type { ChatFileOptions } from "../../files/chat-files.ts"
import { noteText } from "../../files/transfer-text.ts"
import { note } from "../../output.ts"
import { evidenceText } from "../badges.ts"
import type { OpenChat } from "../open-chat.ts"
import { ChatSession } from "../session.ts"
import { leftLine, namesOf, refusedText } from "../session-files.ts"
import { membersText } from "../session-groups.ts"
import { draftOf, runTyped } from "../typed-run.ts"
import { emptyEditor, insert, textOf } from "./editor.ts"
import { press, type Wish } from "./keys.ts"
import { firstState, type ScreenState } from "./state.ts"
import { type KeyPress, openScreen, type TerminalScreen } from "./terminal-screen.ts"
import { viewOf } from "./view.ts"

/** While nothing else happens: a minute changes what is shown of times. */
const redrawMs = 30_000
const typingEveryMs = 4_000

/** Resolves when the person leaves. */
export async function runFullScreen(
  context: Context,
  chat: OpenChat,
  { who, files }: { readonly who: string | undefined; readonly files: ChatFileOptions },
): Promise<void> {
  const screen = new FullScreen(context, chat, files)
  await screen.run(who)
}

class FullScreen {
  readonly #session: ChatSession
  readonly #context: Context
  #state: ScreenState = firstState
  #screen: TerminalScreen | undefined
  #leave: () => void = () => {}
  #isDrawing = false
  #maxScroll = 0
  #toldTypingAt = 0

  constructor(context: Context, chat: OpenChat, files: ChatFileOptions) {
    // Progress and questions would write over the screen: what has to be said is said on it.
    const terminal = { ...context.terminal, interactive: false, progress: (text: string) => this.#say(text, false) }
    this.#context = { ...context, terminal, warn: (text) => this.#say(text, false) }
    this.#session = new ChatSession(this.#context, chat, {
      files,
      onChange: () => this.#drawSoon(),
      onEvent: (event) => {
        if (event.kind === "change_refused") this.#say(refusedText(this.#session, event), true)
      },
      onTransfer: (view, what) => this.#sayTransfer(view, what),
      onTrouble: (fault) => this.#sayFault(fault),
      onNotice: (text) => this.#say(text, false),
    })
  }

  async run(who: string | undefined): Promise<void> {
    const left = new Promise<void>((resolve) => {
      this.#leave = resolve
    })
    this.#screen = openScreen({
      color: this.#context.terminal.color,
      events: {
        onKey: (key) => this.#press(key),
        onPaste: (text) => this.#paste(text),
        onResize: () => this.#drawSoon(),
      },
    })
    const timer = setInterval(() => this.#drawSoon(), redrawMs)
    try {
      const following = this.#session.run()
      this.#do(async () => {
        if (who !== undefined) await this.#session.open(who)
        else await this.#session.select((await this.#session.chat.engine.conversations())[0]?.id)
      })
      await Promise.race([left, following])
    } finally {
      clearInterval(timer)
      this.#screen.leave()
      const left = leftLine(this.#session)
      await this.#session.files.close()
      if (left !== undefined) note(left)
    }
  }

  #press(key: KeyPress): void {
    const before = textOf(this.#state.editor)
    const page = Math.max(1, (this.#screen?.size().rows ?? 24) - 8)
    const { state, wish } = press(this.#state, key, { session: this.#session, page, maxScroll: this.#maxScroll })
    this.#state = state
    if (textOf(state.editor) !== before) this.#tellTyping()
    if (wish !== undefined) this.#do(() => this.#grant(wish))
    this.#drawSoon()
  }

  #paste(text: string): void {
    if (this.#state.overlay === undefined && this.#state.chosen === undefined) {
      this.#state = { ...this.#state, editor: insert(this.#state.editor, text) }
    } else if (this.#state.overlay?.kind === "switcher") {
      const { overlay } = this.#state
      this.#state = {
        ...this.#state,
        overlay: { ...overlay, filter: insert(overlay.filter, text.replaceAll("\n", " ")) },
      }
    }
    this.#drawSoon()
  }

  async #grant(wish: Wish): Promise<void> {
    const session = this.#session
    switch (wish.do) {
      case "leave":
        return this.#leave()
      case "redraw":
        this.#screen?.forget()
        return
      case "select":
        return this.#select(wish.id)
      case "open":
        this.#say(`looking for ${wish.who}`, false)
        await session.open(wish.who)
        return this.#set({ notice: undefined, scroll: 0, editor: emptyEditor })
      case "step":
        return this.#step(wish.by, wish.isUnread)
      case "older":
        await session.loadOlder()
        return
      case "fetch":
      case "decline":
        return this.#decide(wish)
      case "delete":
        return session.send({ type: "delete", of: wish.message })
      case "settle":
        return session.settle(wish.alarm, wish.decision)
      case "evidence":
        return this.#showEvidence()
      case "submit":
        return this.#submit(wish.text)
    }
  }

  async #decide(wish: { readonly do: "fetch" | "decline"; readonly message: string }): Promise<void> {
    const { files } = this.#session
    const message = this.#session.findMessage(wish.message)
    if (message !== undefined) await (wish.do === "fetch" ? files.fetch(message) : files.decline(message))
  }

  /** How far it is stands below the offer; what happened is said wherever one looks. */
  #sayTransfer(view: TransferView, what: TransferNote | undefined): void {
    const isWorthIt = what !== undefined && !(what.kind === "state" && view.state === "waiting")
    const text = isWorthIt ? noteText(view, what, namesOf(this.#session, view)) : undefined
    if (text !== undefined) this.#say(text, view.state === "failed" || what?.kind === "checksum")
  }

  async #select(id: string): Promise<void> {
    await this.#session.select(id)
    this.#set({ scroll: 0, chosen: undefined, purpose: { kind: "text" }, editor: emptyEditor })
  }

  async #step(by: 1 | -1, isUnread: boolean): Promise<void> {
    const { current, conversations } = this.#session
    const among = isUnread ? conversations.filter(({ unread, id }) => unread > 0 || id === current?.id) : conversations
    const at = among.findIndex(({ id }) => id === current?.id)
    const next = among[(at + by + among.length) % Math.max(1, among.length)]
    if (next !== undefined) await this.#select(next.id)
  }

  async #submit(text: string): Promise<void> {
    const { purpose } = this.#state
    if (text.trim() === "") return this.#set({ purpose: { kind: "text" }, editor: emptyEditor })
    if (purpose.kind !== "text") {
      await this.#session.send(draftOf(this.#session, purpose.kind, purpose.message, text))
      return this.#set({ purpose: { kind: "text" }, editor: emptyEditor })
    }
    const result = await runTyped(this.#session, text)
    this.#set({ editor: emptyEditor, scroll: 0 })
    if (result === "quit") return this.#leave()
    if (result === "help") this.#set({ overlay: { kind: "help" } })
    if (result === "list") this.#set({ overlay: { kind: "switcher", filter: emptyEditor, at: 0 } })
    if (result === "alarms") this.#set({ overlay: { kind: "alarms", at: 0 } })
    if (result === "members") this.#say(membersText(this.#session), false)
    if (result === "evidence") await this.#showEvidence()
  }

  async #showEvidence(): Promise<void> {
    const { current } = this.#session
    const chain = current?.contact?.chain
    if (current === undefined || chain === undefined)
      return this.#say("Nobody is open whose proofs could be shown. Ctrl-K finds somebody.", true)
    const title = this.#session.nameOf(current)
    this.#set({ overlay: { kind: "evidence", title, lines: undefined, top: 0 } })
    const badges = await this.#session.checkProofs(chain)
    const { safetyWords } = await import("../contact-view.ts")
    const code =
      current.safetyCode === undefined
        ? []
        : [
            "",
            `safety code  ${safetyWords(current.safetyCode)}`,
            "Compare it with the person by another way: equal at both ends, or somebody is between.",
          ]
    const lines = [`chain ${chain}`, "", ...(await evidenceText(badges, false)), ...code]
    if (this.#state.overlay?.kind === "evidence") this.#set({ overlay: { kind: "evidence", title, lines, top: 0 } })
  }

  /** Does it, and says what went wrong, with what to do. What was typed stays then. */
  #do(task: () => Promise<void>): void {
    task().then(
      () => this.#drawSoon(),
      (error: unknown) => {
        if (!(error instanceof KezError)) {
          this.#screen?.leave()
          throw error
        }
        if (this.#state.overlay?.kind === "evidence") this.#set({ overlay: undefined })
        this.#sayFault(error)
      },
    )
  }

  #sayFault({ message, code, hint }: KezError): void {
    this.#say(`${message} [${code}]${hint === undefined ? "" : ` ${hint.split("\n")[0]}`}`, true)
  }

  #say(text: string, isFault: boolean): void {
    this.#set({ notice: { text, isFault } })
  }

  #set(change: Partial<ScreenState>): void {
    this.#state = { ...this.#state, ...change }
    this.#drawSoon()
  }

  #tellTyping(): void {
    const now = Date.now()
    if (now - this.#toldTypingAt < typingEveryMs || this.#state.purpose.kind === "react") return
    this.#toldTypingAt = now
    this.#session.setTyping(true)
  }

  /** Many changes at once are drawn once. */
  #drawSoon(): void {
    if (this.#isDrawing || this.#screen === undefined) return
    this.#isDrawing = true
    void nextTurn().then(() => {
      this.#isDrawing = false
      const screen = this.#screen
      if (screen === undefined) return
      const view = viewOf(this.#session, this.#state, screen.size())
      this.#maxScroll = view.maxScroll
      if (this.#state.scroll > view.maxScroll) this.#state = { ...this.#state, scroll: view.maxScroll }
      screen.draw(view)
    })
  }
}
