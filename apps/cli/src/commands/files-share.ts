/** `kez files share PATH…`: from now on these people see it in a signed list, and may fetch it while this device is there. */
import type { Audience, Conversation, ShareGroup } from "@kez/chat"
import { type Digest, KezError } from "@kez/core"
import { nameOfConversation } from "../chat/chat-json.ts"
import { type OpenChat, waitOnline } from "../chat/open-chat.ts"
import { assertSameHost, findKnown, findPerson } from "../chat/people.ts"
import { groupNamed, mayNameGroup } from "../chat/send-target.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import type { Context } from "../context.ts"
import { anchorShares } from "../files/anchor.ts"
import { findIroh } from "../files/find-iroh.ts"
import { openFiles } from "../files/open-files.ts"
import { assertNoKeys, readablePath, skipText } from "../files/sendable.ts"
import { devicelessText, shareAudience } from "../files/share-audience.ts"
import { groupNamesOf, shareJson, shareLines } from "../files/share-view.ts"
import { printable } from "../output.ts"
import type { Handler } from "../run.ts"

const connectMs = 10_000
const settleMs = 15_000

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
    const named: Named =
      everyone === undefined ? await namedBy(context, chat, people) : { audience: "contacts", groups: [] }
    const open = await openFiles(context, chat, { tell: () => undefined })
    try {
      const { files } = open
      context.terminal.progress("reading what is to be shared")
      const shared = await files.shares.share(paths, named.audience, { groups: named.groups })
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
        text: `✓ shared\n${shareLines(chat, shared.shares, await groupNamesOf(chat, shared.shares))}`,
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

interface Named {
  readonly audience: Audience
  readonly groups: readonly ShareGroup[]
}

/** People whom this account has as contacts; of a group those who are in it now. */
async function namedBy(context: Context, chat: OpenChat, people: readonly string[]): Promise<Named> {
  const isCurrent = await catchUp(chat, people)
  const named = new Set<Digest>()
  const groups: ShareGroup[] = []
  for (const typed of people) {
    const group = await groupNamed(context, chat, { typed, doing: `share with ${printable(typed, 100)}` })
    if (group === undefined) named.add(await contactOf(context, chat, typed))
    else groups.push(await membersOf(context, chat, group))
  }
  if (!isCurrent && groups.length > 0)
    context.warn("what the chat server has for you is not here yet: who is in the group is what was known here before")
  // Who is named beside his group stays when he leaves it.
  const asMembers = groups.map(({ id, members }) => ({ id, members: members.filter((chain) => !named.has(chain)) }))
  const audience = new Set([...named, ...asMembers.flatMap(({ members }) => members)])
  return { audience: [...audience], groups: asMembers }
}

/** What is no contact may be a group, and who is in it may have changed since the last connection. False: it may have. */
async function catchUp(chat: OpenChat, people: readonly string[]): Promise<boolean> {
  const { engine } = chat
  const isKnown = async (who: string): Promise<boolean> =>
    !mayNameGroup(who) || (await findKnown(chat, who)) !== undefined
  if ((await Promise.all(people.map(isKnown))).every(Boolean)) return true
  await waitOnline(engine, connectMs)
  return engine.connection().kind === "online" && (await engine.settled(settleMs))
}

async function contactOf(context: Context, chat: OpenChat, who: string): Promise<Digest> {
  const contact = await findPerson(context, chat, who)
  assertSameHost(chat, contact)
  if (contact.standing === "accepted") return contact.chain
  throw new KezError("usage", `Cannot share with ${printable(who, 100)}: expected one of your contacts`, {
    hint: `kez contacts accept ${printable(who, 100)}`,
  })
}

async function membersOf({ warn }: Context, chat: OpenChat, group: Conversation): Promise<ShareGroup> {
  const found = await shareAudience(chat.engine, group)
  const { audience, left } = found
  const name = printable(nameOfConversation(chat, group), 100)
  if (audience.length === 0)
    throw new KezError("usage", `Cannot share with ${name}: nobody there is one of your contacts`, {
      hint: "kez contacts add WHO, for each of them",
    })
  if (left > 0) warn(`not with ${left} in ${name} who are none of your contacts`)
  const deviceless = devicelessText(chat, found)
  if (deviceless !== undefined) warn(deviceless)
  return { id: group.id, members: audience }
}
