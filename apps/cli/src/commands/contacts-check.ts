/** `kez contacts check`: looks at every pinned handle and chain, at the own handle, and at every proof. Alarms are settled here too. */
import { KezError } from "@kez/core"
import { alarmWords } from "../chat/alarm-text.ts"
import { badgeJson, checkBadges } from "../chat/badges.ts"
import { alarmJson, contactJson, senderName } from "../chat/chat-json.ts"
import { contactLine } from "../chat/contact-view.ts"
import type { OpenChat } from "../chat/open-chat.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import { exitCodes } from "../exit-codes.ts"
import { paint } from "../output.ts"
import type { Handler } from "../run.ts"
import { count } from "../short-text.ts"

export interface CheckOptions extends ChatOptions {
  readonly accept?: string
  readonly dismiss?: string
}

export const run: Handler<CheckOptions> = (context, { args: _, accept, dismiss, ...options }) =>
  withChat(context, options, async (chat) => {
    const { engine } = chat
    const { color } = context.terminal
    if (accept !== undefined) await settle(chat, accept, "accept")
    if (dismiss !== undefined) await settle(chat, dismiss, "dismiss")
    context.terminal.progress("looking at handles and chains")
    await engine.contacts.check()
    const contacts = await engine.contacts.list()
    const rows = []
    for (const contact of contacts) rows.push({ contact, badges: await checkBadges(context, chat, contact.chain) })
    const alarms = await engine.alarms.list()
    const nameOf = (chain: string): string => senderName(chat, { sender: { chain, device: "", isSelf: false } })
    const words = alarms.map((state) => ({ state, ...alarmWords(state, nameOf) }))
    return {
      schema: "kez.contacts_check/1",
      data: {
        contacts: rows.map(({ contact, badges }) => ({ ...contactJson(chat, contact), proofs: badges.map(badgeJson) })),
        alarms: alarms.map((state) => alarmJson(chat, state)),
      },
      text: [
        ...rows.map(({ contact, badges }) => contactLine(chat, contact, { badges, color })),
        alarms.length === 0 ? "✓ no alarms" : `${count(alarms.length, "alarm")}:`,
        ...words.flatMap(({ state, title, details, isLoud }) => [
          `${paint(color, isLoud ? "red" : "yellow", isLoud ? "⑂" : "!")} ${title}`,
          ...details.map((line) => `    ${line}`),
          `    number ${state.id}`,
        ]),
      ].join("\n"),
      exitCode: alarms.some(({ isStop }) => isStop) ? exitCodes.fork : exitCodes.ok,
      ...(alarms.length === 0 ? {} : { next: "kez contacts check --accept NUMBER, or --dismiss NUMBER" }),
    }
  })

async function settle({ engine }: OpenChat, typed: string, decision: "accept" | "dismiss"): Promise<void> {
  const found = (await engine.alarms.list()).filter(({ id }) => id === typed || id.startsWith(typed))
  const [only, ...others] = found
  if (only === undefined || others.length > 0) {
    throw new KezError("usage", `Cannot ${decision} the alarm ${typed}: expected the number of one that is open`, {
      hint: "kez contacts check lists them.",
    })
  }
  await engine.alarms.settle(only.id, decision)
}
