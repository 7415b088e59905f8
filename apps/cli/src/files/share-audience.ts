/** With whom `/share` and `kez files share --with GROUP` share: who is in the conversation now, and an accepted contact. */
import type { Conversation, Engine, ShareGroup } from "@kez/chat"
import type { Digest } from "@kez/core"
import { type Names, shownName } from "./share-view.ts"

export interface ShareAudience {
  readonly audience: readonly Digest[]
  /** They get it as members of this group, and no longer than that. */
  readonly groups: readonly ShareGroup[]
  /** How many others are there who are none of the contacts. */
  readonly left: number
  /** Of the audience: nothing reaches them before they add a device. */
  readonly deviceless: readonly Digest[]
}

/** Throws where nothing is given in that conversation now, and says why. */
export async function shareAudience(
  engine: Pick<Engine, "chain" | "contacts" | "members">,
  { id, kind }: Pick<Conversation, "id" | "kind">,
): Promise<ShareAudience> {
  const others = (await engine.members(id)).filter((chain) => chain !== engine.chain)
  const contacts = (await engine.contacts.list()).filter(
    ({ chain, standing }) => standing === "accepted" && others.includes(chain),
  )
  const audience = contacts.map(({ chain }) => chain)
  const groups = kind === "group" ? [{ id, members: audience }] : []
  const deviceless = contacts.filter(({ devices }) => devices.length === 0).map(({ chain }) => chain)
  return { audience, groups, left: others.length - audience.length, deviceless }
}

/** Undefined: everybody can be reached. */
export function devicelessText(chat: Names, { deviceless }: Pick<ShareAudience, "deviceless">): string | undefined {
  if (deviceless.length === 0) return undefined
  const names = deviceless.map((chain) => shownName(chat, chain)).join(", ")
  return `no device now: ${names}. It is given once there is one`
}
