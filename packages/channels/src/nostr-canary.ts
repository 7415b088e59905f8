/** Whether the relays work, told by a profile that all large ones have. SPEC §7.4. */
import type { Canary } from "./channel.ts"
import { defaultRelays } from "./net.ts"
import { authorOf, eventKinds } from "./nostr-event.ts"
import { lookAtRelays } from "./nostr-look.ts"

/** The key of nostr's first author. Every large relay has its profile, which has been there since the beginning. */
const canaryKey = "npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6"

export const nostrCanary: Canary = {
  nameFor: (_value, net) => `the profile of ${canaryKey.slice(0, 12)}… at ${net.settings.relays.length} relays`,
  async check(_name, net, signal) {
    const author = authorOf(canaryKey)
    const look = await lookAtRelays(
      {
        author,
        kinds: [eventKinds.profile],
        filters: [{ authors: [author], kinds: [eventKinds.profile], limit: 1 }],
        isWanted: () => true,
        isEnough: (events) => events.length > 0,
      },
      net,
      signal,
    )
    const answered = look.relays.filter(({ isComplete }) => isComplete).length
    // A relay of one's own need not hold a stranger's profile; that it answers is enough.
    const isOwn = !net.settings.relays.some((url) => defaultRelays.includes(url))
    const ok = look.events.length > 0 || (isOwn && answered > 0)
    const said = look.events.length > 0 ? "the profile is there" : "no relay has the profile"
    const note = `${said}; ${answered} of ${look.relays.length} relays answered`
    const failed = look.relays.find(({ isComplete }) => !isComplete)?.evidence.code
    const code = ok || answered > 0 || failed === undefined ? {} : { code: failed }
    return { ok, evidence: { url: `nostr:${canaryKey}`, fetchedAt: net.now(), note, ...code } }
  },
}
