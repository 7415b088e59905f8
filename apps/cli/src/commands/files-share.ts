/** `kez files share PATH…`: from now on these people see it in a signed list, and may fetch it while this device is there. */
import type { Audience } from "@kez/chat"
import { KezError } from "@kez/core"
import type { OpenChat } from "../chat/open-chat.ts"
import { assertSameHost, findPerson } from "../chat/people.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import type { Context } from "../context.ts"
import { anchorShares } from "../files/anchor.ts"
import { findIroh } from "../files/find-iroh.ts"
import { openFiles } from "../files/open-files.ts"
import { assertNoKeys, readablePath, skipText } from "../files/sendable.ts"
import { shareJson, shareLines } from "../files/share-view.ts"
import { printable } from "../output.ts"
import type { Handler } from "../run.ts"

export interface ShareOptions extends ChatOptions {
  readonly with?: readonly string[]
  readonly everyone?: string | true
}

export const run: Handler<ShareOptions> = async (context, { args, with: people = [], everyone, ...options }) => {
  assertAudience(people, everyone)
  const paths = await Promise.all(args.map(readablePath))
  for (const path of paths) await assertNoKeys(context, path)
  findIroh(context)
  return withChat(context, { ...options, holder: "kez files share" }, async (chat) => {
    const audience: Audience = everyone === undefined ? await chainsOf(context, chat, people) : "contacts"
    const open = await openFiles(context, chat, { tell: () => undefined })
    try {
      const { files } = open
      context.terminal.progress("reading what is to be shared")
      const shared = await files.shares.share(paths, audience)
      for (const { path, why } of shared.skipped) context.warn(`left out ${printable(path, 200)}: ${skipText(why)}`)
      const anchored = await anchorShares(context, chat, files)
      const own = await files.run(() => files.shares.current())
      return {
        schema: "kez.files_share/1",
        data: {
          shares: shared.shares.map((share) => shareJson(chat, share)),
          skipped: shared.skipped,
          manifest: own === undefined ? null : { seq: own.seq, digest: own.digest, in_chain: anchored === "named" },
        },
        text: `✓ shared\n${shareLines(chat, shared.shares)}`,
        next: "they get it while one of these runs here: kez files serve, kez chat",
      }
    } finally {
      await open.close()
    }
  })
}

function assertAudience(people: readonly string[], everyone: string | true | undefined): void {
  if (typeof everyone === "string" && everyone !== "contacts")
    throw new KezError("usage", `Cannot share with ${printable(everyone, 100)}: expected --everyone contacts`, {
      hint: "Paths stand before it: kez files share PATH --everyone contacts",
    })
  if (people.length > 0 !== (everyone !== undefined)) return
  throw new KezError("usage", "Cannot share: expected either --with WHO or --everyone contacts", {
    hint: "kez files share photos --with bob",
  })
}

async function chainsOf(context: Context, chat: OpenChat, people: readonly string[]): Promise<readonly string[]> {
  const chains = new Set<string>()
  for (const who of people) {
    const contact = await findPerson(context, chat, who)
    assertSameHost(chat, contact)
    if (contact.standing !== "accepted")
      throw new KezError("usage", `Cannot share with ${printable(who, 100)}: expected one of your contacts`, {
        hint: `kez contacts accept ${printable(who, 100)}`,
      })
    chains.add(contact.chain)
  }
  return [...chains]
}
