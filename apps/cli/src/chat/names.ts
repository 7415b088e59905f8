/** Which handles are pinned, for messages, which name chains alone, and for chains that claim the handle of somebody else. */
import type { Contact } from "@kez/chat"
import type { Digest } from "@kez/core"
import type { OpenChat } from "./open-chat.ts"

type Account = OpenChat["account"]

const handles = new WeakMap<Account, Map<Digest, string>>()

export function rememberNames({ account }: Pick<OpenChat, "account">, contacts: readonly Contact[]): void {
  const known = handles.get(account) ?? new Map<Digest, string>()
  for (const { chain, handle } of contacts) if (handle !== undefined) known.set(chain, handle)
  handles.set(account, known)
}

export function pinnedHandle(account: Account, chain: Digest): string | undefined {
  return handles.get(account)?.get(chain)
}

/** Whether the handle is one's own, or pinned to another chain: whoever else claims it is not called by it. */
export function isSomebodyElses(account: Account, handle: string, chain: Digest): boolean {
  if (handle === `${account.handle}@${account.host}`) return chain !== account.chain
  return [...(handles.get(account) ?? [])].some(([owner, pinned]) => pinned === handle && owner !== chain)
}
