/** `kez chat`: on the whole screen where the terminal can, in plain lines otherwise, as JSON for programs. */
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import type { Context } from "../context.ts"
import { fault } from "../fault.ts"
import type { ChatFileOptions } from "../files/chat-files.ts"
import { assertFileOptions } from "../files/open-files.ts"
import type { Handler } from "../run.ts"

const minColumns = 20
const minRows = 7

export interface ChatCommandOptions extends ChatOptions, ChatFileOptions {}

export const run: Handler<ChatCommandOptions> = async (context, { args: [who], ...options }) => {
  if (context.flags.json && who !== undefined) {
    throw fault("usage", "Cannot open one conversation with --json: each command on stdin names whom it is for", {
      hint: `For example: {"do":"send","to":${JSON.stringify(who)},"text":"hello"}`,
    })
  }
  const files = fileOptionsOf(context, options)
  return withChat(context, { ...options, holder: "kez chat", follows: true }, async (chat) => {
    if (context.flags.json) {
      const { runBotChat } = await import("../chat/bot-chat.ts")
      await runBotChat(context, chat, files)
    } else if (canDraw(context)) {
      const { runFullScreen } = await import("../chat/screen/full-screen.ts")
      await runFullScreen(context, chat, { who, files })
    } else {
      const { runPlainChat } = await import("../chat/plain-chat.ts")
      await runPlainChat(context, chat, { who, files })
    }
    const waiting = await waitingIn(chat)
    const note =
      waiting === 0
        ? []
        : [`${waiting} of your messages wait: they go out by themselves with the next kez chat or kez dm`]
    return {
      schema: "kez.chat/1",
      data: { account: `${chat.account.handle}@${chat.account.host}`, waiting },
      text: "",
      warnings: note,
    }
  })
}

/** Looked at before anything is opened. */
function fileOptionsOf(
  context: Context,
  { dir, relay, relayOnly, lan, limitRate }: ChatCommandOptions,
): ChatFileOptions {
  const ways = { relay, relayOnly, lan, limitRate }
  assertFileOptions(context, ways)
  return { ...(dir === undefined ? {} : { dir }), ...ways }
}

/** Whole screens are of no use to screen readers, pipes and terminals that cannot move their cursor. */
function canDraw({ terminal, env }: Context): boolean {
  const { stdin, stdout } = process
  if (terminal.plain || !terminal.interactive || env.term === undefined || env.term === "dumb") return false
  return stdin.isTTY === true && (stdout.columns || 80) >= minColumns && (stdout.rows || 24) >= minRows
}

async function waitingIn({ engine }: { readonly engine: import("@kez/chat").Engine }): Promise<number> {
  let waiting = 0
  for (const { id } of await engine.conversations()) {
    const messages = await engine.messages(id, { limit: 50 })
    waiting += messages.filter(({ delivered }) => delivered?.state === "waiting").length
  }
  return waiting
}
