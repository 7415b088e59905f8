/** `kez chat` in plain lines: append-only, one thing a line, for screen readers, logs and pipes. Each message has a number for /reply and the like. */
import { createInterface } from "node:readline"
import type { ArchiveState, EngineEvent, ShownMessage } from "@kez/chat"
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import type { ChatFileOptions } from "../files/chat-files.ts"
import { createProgress } from "../files/progress.ts"
import { note, printable, writeErr, writeOut } from "../output.ts"
import { count } from "../short-text.ts"
import { alarmWords } from "./alarm-text.ts"
import { badgeLine, evidenceText } from "./badges.ts"
import { archiveText, bodyLines, connectionText, deliveredText, quoteOf } from "./message-text.ts"
import type { OpenChat } from "./open-chat.ts"
import { waitOnline } from "./open-chat.ts"
import { runLines } from "./run-lines.ts"
import { ChatSession } from "./session.ts"
import { leftLine, namesOf, offerLine, refusedText } from "./session-files.ts"
import { membersText } from "./session-groups.ts"
import { messageLines } from "./tail.ts"
import { isLongTyped, typedCommands } from "./typed.ts"
import { runTyped } from "./typed-run.ts"

const shownAtFirst = 15
/** After the end of the input: what was typed is to be sent. */
const sendMs = 20_000
const onlineMs = 5_000

export async function runPlainChat(
  context: Context,
  chat: OpenChat,
  { who, files }: { readonly who: string | undefined; readonly files: ChatFileOptions },
): Promise<void> {
  await new PlainChat({ ...context, warn: note }, chat, files).run(who)
}

class PlainChat {
  readonly #context: Context
  readonly #session: ChatSession
  readonly #numbers = new Map<string, ShownMessage["id"]>()
  readonly #shown = new Map<ShownMessage["id"], number>()
  #lastNumber = 0
  #toldState = ""
  /** What is under way fails then, and that is no news. */
  #isEnding = false
  #archive: ArchiveState | undefined

  constructor(context: Context, chat: OpenChat, files: ChatFileOptions) {
    this.#context = context
    // Lines and nothing that is drawn: what is said must stand among the messages.
    const progress = createProgress(context, (view) => namesOf(this.#session, view), { isDrawn: false })
    this.#session = new ChatSession(context, chat, {
      files,
      onChange: () => {},
      onEvent: (event) => this.#tell(event),
      onTransfer: progress.tell,
      onTrouble: (fault) => this.#sayFault(fault),
      onNotice: (text) => this.#say(text),
    })
  }

  async run(who: string | undefined): Promise<void> {
    const { chat } = this.#session
    const following = this.#session.run()
    following.catch(() => undefined) // thrown below
    await waitOnline(chat.engine, onlineMs)
    this.#say(connectionText(chat.engine.connection()))
    if (who === undefined) this.#list(await chat.engine.conversations())
    else await this.#try(() => this.#open(who))
    const lines = createInterface({ input: process.stdin, terminal: false })
    // Ctrl-C is the end, and what was typed is sent before.
    let isInterrupted = false
    const end = (): void => {
      isInterrupted = true
      lines.close()
    }
    process.once("SIGINT", end)
    process.once("SIGTERM", end)
    try {
      const { settled } = await runLines(lines, { run: (line) => this.#typed(line), isLong: isLongTyped })
      // Whoever types sees what is not done yet; what came out of a file is done to its end.
      if (!isInterrupted && process.stdin.isTTY !== true) await settled
      if (!(await chat.engine.settled(sendMs)))
        note("not everything is sent yet: it goes out by itself with the next kez chat or kez dm")
    } finally {
      process.off("SIGINT", end)
      process.off("SIGTERM", end)
      lines.close()
      this.#isEnding = true
      const left = leftLine(this.#session)
      await this.#session.files.close()
      if (left !== undefined) note(left)
    }
  }

  async #open(who: string): Promise<void> {
    await this.#session.open(who)
    this.#showConversation()
  }

  #showConversation(): void {
    const { current, messages } = this.#session
    if (current === undefined) return
    const badges = this.#session.badgesOf(current.contact?.chain)
    const proofs =
      current.kind === "group"
        ? membersText(this.#session)
        : badges.length === 0
          ? "no accounts proven elsewhere"
          : badgeLine(badges, this.#context.terminal.color)
    writeOut(`with ${printable(this.#session.nameOf(current), 120)}: ${proofs}\n`)
    if (current.state === "request") this.#say("wrote first: answer, or /accept, or /block")
    if (current.contact?.stop !== undefined)
      this.#say(`STOP: ${current.contact.stop.message} Nothing is sent. /alarms tells more`)
    for (const message of messages.slice(-shownAtFirst)) this.#show(message)
  }

  async #typed(line: string): Promise<"go" | "quit"> {
    return this.#try(async () => {
      const before = this.#session.current?.id
      const result = await runTyped(this.#session, line, { messageAt: (number) => this.#messageAt(number) })
      switch (result) {
        case "quit":
          return "quit"
        case "help":
          writeOut(`${typedCommands.map(([form, meaning]) => `${form.padEnd(24)}${meaning}`).join("\n")}\n`)
          break
        case "list":
          this.#list(this.#session.conversations)
          break
        case "members":
          writeOut(`${membersText(this.#session)}\n`)
          break
        case "alarms":
          this.#listAlarms()
          break
        case "evidence":
          await this.#showEvidence()
          break
        case "history":
          await this.#showHistory()
          break
        case "done":
          // Beside what goes on another one may have been opened, and was shown then.
          if (!isLongTyped(line) && this.#session.current?.id !== before) this.#showConversation()
      }
      return "go"
    })
  }

  /** A slip of the fingers, or a server that is away, ends nothing. */
  async #try<T>(task: () => Promise<T>): Promise<T | "go"> {
    try {
      return await task()
    } catch (error) {
      if (!(error instanceof KezError)) throw error
      if (!this.#isEnding) this.#sayFault(error)
      return "go"
    }
  }

  #sayFault({ message, code, hint = "" }: KezError): void {
    note(`${message} [${code}]`)
    for (const line of hint.split("\n").slice(0, 2)) if (line !== "") writeErr(`hint: ${printable(line)}\n`)
  }

  #tell(event: EngineEvent): void {
    switch (event.kind) {
      case "message":
        this.#tellMessage(event.message)
        return
      case "message_changed":
        if (event.message.conversation === this.#session.current?.id) this.#show(event.message, "changed: ")
        return
      case "outbox": {
        const number = this.#shown.get(event.message)
        const { state } = event.delivered
        if (number !== undefined && state !== "waiting") this.#say(`#${number} ${deliveredText(event.delivered)}`)
        else if (event.delivered.reason !== undefined) this.#say(deliveredText(event.delivered))
        return
      }
      case "alarm":
        if (event.isOpen) this.#tellAlarm(event.alarm)
        return
      case "connection":
        this.#say(connectionText(event.connection))
        return
      case "archive":
        this.#tellArchive(event.archive)
        return
      case "change_refused":
        this.#say(refusedText(this.#session, event))
        return
      case "typing":
      case "conversation":
      case "contact":
    }
  }

  /** Each thing once: what passes is told of at its end. */
  #tellArchive(archive: ArchiveState): void {
    const before = this.#archive
    this.#archive = archive
    if (archive.kind === "on" && before?.kind === "restoring") {
      this.#say(`${count(before.messages, "earlier message")} came out of your archive`)
      this.#list(this.#session.conversations)
    }
    const text = archive.kind === "restoring" || before?.kind === archive.kind ? undefined : archiveText(archive)
    if (text !== undefined) this.#say(text)
  }

  #tellMessage(message: ShownMessage): void {
    const { current } = this.#session
    if (message.conversation === current?.id) {
      this.#show(message)
      return
    }
    if (message.sender.isSelf) return
    const [first = ""] = bodyLines(message, 200)
    this.#say(
      `from ${this.#session.senderOf(message)}: ${first}  (/to ${this.#session.senderOf(message).replace("?", "")})`,
    )
  }

  #show(message: ShownMessage, prefix = ""): void {
    const number = this.#shown.get(message.id) ?? ++this.#lastNumber
    this.#shown.set(message.id, number)
    this.#numbers.set(String(number), message.id)
    const answered = message.answers === undefined ? undefined : this.#session.findMessage(message.answers)
    const line = offerLine(this.#session, message)
    const below = line === undefined ? [] : [line]
    const lines = messageLines(this.#context, this.#session.chat, message, { answered, below })
    writeOut(`${prefix}#${number} ${lines.join("\n")}\n`)
  }

  #messageAt(number: string): ShownMessage | undefined {
    const id = this.#numbers.get(number)
    return id === undefined ? undefined : this.#session.findMessage(id)
  }

  #list(conversations: ChatSession["conversations"]): void {
    const rows = conversations.map((one) => {
      const unread = one.unread === 0 ? "" : `, ${one.unread} new`
      return `${printable(this.#session.nameOf(one), 120)}${one.state === "open" ? "" : `, ${one.state}`}${unread}`
    })
    writeOut(rows.length === 0 ? "no conversations yet: /to WHO begins one\n" : `${rows.join("\n")}\n`)
  }

  #listAlarms(): void {
    const { alarms } = this.#session
    if (alarms.length === 0) writeOut("no alarms\n")
    alarms.forEach((state, at) => {
      this.#tellAlarm(state, at + 1)
    })
  }

  #tellAlarm(state: ChatSession["alarms"][number], number?: number): void {
    const { title, details, isLoud } = alarmWords(state, (chain) => this.#session.nameOfChain(chain))
    writeOut(`${isLoud ? "ALARM" : "note"}${number === undefined ? "" : ` ${number}`}: ${title}\n`)
    for (const line of details) writeOut(`  ${line}\n`)
  }

  async #showEvidence(): Promise<void> {
    const chain = this.#session.current?.contact?.chain
    if (chain === undefined)
      throw new KezError("usage", "Cannot show proofs: no conversation is open", { hint: "/to WHO opens one." })
    const badges = await this.#session.checkProofs(chain)
    writeOut(`${(await evidenceText(badges, this.#context.terminal.color)).join("\n")}\n`)
  }

  async #showHistory(): Promise<void> {
    const before = this.#session.messages.length
    const isMore = await this.#session.loadOlder()
    if (!isMore) return this.#say("there is nothing before this")
    const { messages } = this.#session
    for (const message of messages.slice(0, messages.length - before)) this.#show(message)
    this.#say(`"${quoteOf(messages[messages.length - before])}" comes after these`)
  }

  /** Said once: a connection that is tried again and again says the same each time. */
  #say(text: string): void {
    if (text === this.#toldState) return
    this.#toldState = text
    if (!this.#context.flags.quiet) note(text)
  }
}
