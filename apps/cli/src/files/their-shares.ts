/** Asking somebody what he shares: the open chat, the conversation, and the first answer that counts. */
import { setTimeout as sleep } from "node:timers/promises"
import { type BrowsingEvent, keptLists, type TheirList } from "@kez/chat"
import type { Digest, KezError } from "@kez/core"
import { type OpenChat, waitOnline } from "../chat/open-chat.ts"
import { assertSameHost, findPerson } from "../chat/people.ts"
import type { Context } from "../context.ts"
import type { OpenFiles } from "./open-files.ts"

const connectMs = 10_000
/** After the first answer, for his other devices. */
const othersMs = 700

export interface Sharer {
  readonly chain: Digest
  readonly conversation: Digest
}

/** Somebody who is looked up where he is not known. */
export async function findSharer(context: Context, chat: OpenChat, who: string): Promise<Sharer> {
  const contact = await findPerson(context, chat, who)
  assertSameHost(chat, contact)
  await chat.chains.look(contact.chain)
  const { id } = await chat.engine.openDirect(contact.chain)
  await waitOnline(chat.engine, connectMs)
  return { chain: contact.chain, conversation: id }
}

/** Hears what `Browsing` tells, for one conversation. */
export class Answers {
  readonly #heard: BrowsingEvent[] = []
  #wake: () => void = () => undefined

  readonly take = (event: BrowsingEvent): void => {
    this.#heard.push(event)
    this.#wake()
  }

  /** A list came, or one that is not believed. */
  async first(): Promise<void> {
    if (this.#heard.length > 0) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  get refused(): KezError | undefined {
    if (this.#heard.some(({ kind }) => kind === "list")) return undefined
    return this.#heard.flatMap((event) => (event.kind === "refused" ? [event.fault] : []))[0]
  }

  /** Devices that never shared anything say so, and are kept nowhere. */
  get lists(): readonly TheirList[] {
    return this.#heard.flatMap((event) => (event.kind === "list" ? [event.list] : []))
  }
}

/** Asks, and resolves once somebody answered. Throws where all that came is not believed. */
export async function askSharer({ files }: OpenFiles, { conversation }: Sharer, answers: Answers): Promise<void> {
  await files.run(() => files.browsing.ask(conversation))
  await answers.first()
  await sleep(othersMs)
  if (answers.refused !== undefined) throw answers.refused
}

/** What is known of somebody now, newest first. */
export async function knownLists(chat: OpenChat, { chain }: Sharer): Promise<readonly TheirList[]> {
  return keptLists(chat.engine, chain)
}
