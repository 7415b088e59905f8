/** The proof badges of people in a chat: as they were seen before, and looked at anew once in a run, when somebody opens the conversation. */
import type { Digest } from "@kez/core"
import type { Context } from "../context.ts"
import { checkBadges, knownBadges, type ProofBadge } from "./badges.ts"
import type { OpenChat } from "./open-chat.ts"

export class SessionBadges {
  readonly #context: Context
  readonly #chat: OpenChat
  readonly #onChange: () => void
  readonly #known = new Map<Digest, readonly ProofBadge[]>()
  readonly #checked = new Set<Digest>()

  constructor(context: Context, chat: OpenChat, onChange: () => void) {
    this.#context = context
    this.#chat = chat
    this.#onChange = onChange
  }

  of(chain: Digest | undefined): readonly ProofBadge[] {
    return chain === undefined ? [] : (this.#known.get(chain) ?? [])
  }

  /** What is known here, the first time. */
  async load(chain: Digest | undefined): Promise<void> {
    if (chain === undefined || this.#known.has(chain)) return
    this.#known.set(chain, await knownBadges(this.#context, this.#chat, chain))
    this.#onChange()
  }

  checkOnce(chain: Digest | undefined): void {
    if (chain === undefined || this.#checked.has(chain)) return
    this.#checked.add(chain)
    void this.check(chain).catch(() => undefined) // what was seen before stands
  }

  async check(chain: Digest): Promise<readonly ProofBadge[]> {
    const badges = await checkBadges(this.#context, this.#chat, chain)
    this.#known.set(chain, badges)
    this.#onChange()
    return badges
  }
}
