/** With whom `/share` and `kez files share --with GROUP` share: who is in the conversation now, and an accepted contact. */
import type { Conversation, Engine, ShareGroup } from "@kez/chat"
import type { Digest } from "@kez/core"

export interface ShareAudience {
  readonly audience: readonly Digest[]
  /** They get it as members of this group, and no longer than that. */
  readonly groups: readonly ShareGroup[]
  /** How many others are there who are none of the contacts. */
  readonly left: number
}

export async function shareAudience(
  engine: Pick<Engine, "chain" | "contacts" | "devices">,
  { id, kind, members }: Pick<Conversation, "id" | "kind" | "members">,
): Promise<ShareAudience> {
  // Who is to be removed is a member until the commit is made, and has no device that counts from now on.
  const here = new Set((await engine.devices(id)).map(({ chain }) => chain))
  const others = members.filter((chain) => chain !== engine.chain && here.has(chain))
  const contacts = await engine.contacts.list()
  const accepted = new Set(contacts.filter(({ standing }) => standing === "accepted").map(({ chain }) => chain))
  const audience = others.filter((chain) => accepted.has(chain))
  const groups = kind === "group" ? [{ id, members: audience }] : []
  return { audience, groups, left: others.length - audience.length }
}
