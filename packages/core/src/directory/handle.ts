/** Which handles there may be, and which read alike. SPEC §7.8. */
import { KezError } from "../error.ts"
import { isHandle } from "../identity.ts"

/** Longer texts are not looked at. */
const maxTypedCharacters = 256

/**
 * The handle that a person typed, without `@` before it, in lower case. The character set is checked before case is folded: U+212A
 * KELVIN SIGN lower-cases to k. Throws `limit.size`, `identity.charset` or `identity.syntax`. [HND-1]
 */
export function parseHandle(text: string): string {
  if (text.length > maxTypedCharacters) {
    throw new KezError("limit.size", `Cannot use the handle: expected at most ${maxTypedCharacters} characters`)
  }
  const bare = text.startsWith("@") ? text.slice(1) : text
  if (!/^[!-~]*$/.test(bare)) {
    throw new KezError("identity.charset", "Cannot use the handle: expected a-z, 0-9, - and _ only")
  }
  const handle = bare.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32))
  if (isHandle(handle)) return handle
  throw new KezError(
    "identity.syntax",
    "Cannot use the handle: expected 3 to 30 of a-z, 0-9, and single - or _ between",
    {
      hint: "It begins with a letter and ends with a letter or digit, such as alice or bob-1.",
    },
  )
}

/** What a handle reads like: two handles with one skeleton would be taken for each other. [HND-2] */
export function skeletonOf(handle: string): string {
  return handle
    .replaceAll(/[-_]/g, "")
    .replaceAll("0", "o")
    .replaceAll(/[1i]/g, "l")
    .replaceAll("5", "s")
    .replaceAll("rn", "m")
    .replaceAll("vv", "w")
}

/** Names of RFC 2142, of what servers and this product call themselves, and of who could be believed to speak for a server. */
const reservedNames =
  "abuse account accounts admin administrator all anonymous api app apps billing bot bots broadcast channel channels chat config contact contacts " +
  "daemon default directory dns everybody everyone ftp group groups guest handle handles help here hostmaster http https imap info invite " +
  "invitation invitations invites kez kez-chat kez-server kez-sig key keys livez localhost log login logout mail mailer-daemon marketing me " +
  "metrics moderator moderators nats news nobody noc noreply no-reply nostr notifications null official operator ops owner password pop3 " +
  "postmaster privacy profile proof proofs readyz register registration relay root sales security server service settings sig " +
  "sigchain signup smtp staff status sudo support sysadmin system team terms test undefined usenet user users uucp verified verify version " +
  "webfinger webmaster well-known www you"
/** By skeleton: `adm1n` and `r00t` are no better than what they look like. */
const reservedSkeletons: ReadonlySet<string> = new Set(reservedNames.split(" ").map(skeletonOf))

/** Whether nobody can register a handle. `more`: names of one server's own. [HND-3] */
export function isReservedHandle(handle: string, more: readonly string[] = []): boolean {
  const skeleton = skeletonOf(handle)
  return reservedSkeletons.has(skeleton) || more.some((name) => skeletonOf(name) === skeleton)
}
