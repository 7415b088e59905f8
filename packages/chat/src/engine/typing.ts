/** That somebody is writing: told to those who are there, kept nowhere. */
import { type Digest, KezError } from "@kez/core"
import { encodeMessage } from "../wire/message.ts"
import type { Desk } from "./desk.ts"
import { keys, type ThreadRow } from "./row.ts"
import { settingsOf } from "./settings.ts"
import { currentGroup, isOpen, mayTell, stopOf } from "./threads.ts"

const everySeconds = 3
/**
 * Each takes a key that those who are away never see, and nobody skips more than 200 keys between two messages: so few are told before something is
 * sent that stays.
 */
const maxBetweenMessages = 50

export class Typing {
  readonly #desk: Desk
  readonly #last = new Map<Digest, { at: number; isTyping: boolean; counter: number; count: number }>()

  constructor(desk: Desk) {
    this.#desk = desk
  }

  async say(conversation: Digest, isTyping: boolean): Promise<void> {
    const desk = this.#desk
    if (!desk.isOnline) return
    const made = await desk.turn(async (unit) => {
      const thread = await unit.get<ThreadRow>(keys.thread(conversation))
      const isWanted = (await settingsOf(unit)).typing && thread !== undefined
      if (!isWanted || !(await mayTell(unit, thread)) || (await stopOf(unit, thread)) !== undefined) return undefined
      const row = await currentGroup(unit, desk, thread)
      const cipher = row === undefined ? undefined : await desk.ciphers.of(row.group)
      if (row === undefined || cipher === undefined || !isOpen(cipher, desk.chain) || cipher.overdue().length > 0)
        return undefined
      if (!this.#mayNow(conversation, isTyping, row.nextCounter)) return undefined
      const { bytes } = encodeMessage({ device: desk.device }, "typing", {
        content: { state: isTyping ? "on" : "off" },
      })
      return { group: row.group, bytes: await cipher.encrypt(bytes) }
    })
    if (made === undefined) return
    const name = made.group.slice("sha256:".length)
    await desk.request("live", { conversation: name, topic: "typing" }, [made.bytes]).catch((error: unknown) => {
      // Nobody waits for it.
      if (!(error instanceof KezError)) throw error
    })
  }

  #mayNow(conversation: Digest, isTyping: boolean, counter: number): boolean {
    const before = this.#last.get(conversation)
    const now = this.#desk.now()
    if (before !== undefined && before.isTyping === isTyping && now - before.at < everySeconds) return false
    const count = before?.counter === counter ? before.count + 1 : 1
    if (count > maxBetweenMessages) return false
    this.#last.set(conversation, { at: now, isTyping, counter, count })
    return true
  }
}
