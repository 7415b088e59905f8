/** Cases of vectors/channel-ap.json about servers that show actors to signed requests only. SPEC §7.6 AP-10. */
import { actorUrl, at, foundIn, foundInProfile, jrd, proof } from "./ap-place.ts"
import { absent, channelCase, unreachable } from "./channel-case.ts"
import type { VectorCase } from "./vector-file.ts"

export function secureMode(): readonly VectorCase[] {
  const refused = { url: actorUrl, status: 401 }
  const lookupUrl = "https://social.example/api/v1/accounts/lookup?acct=alice"
  const pinnedUrl = "https://social.example/api/v1/accounts/7/statuses?pinned=true"
  const account = {
    id: "7",
    username: "alice",
    url: "https://social.example/@alice",
    uri: actorUrl,
    note: "",
    fields: [],
  }
  const lookup = (members: Readonly<Record<string, unknown>>) => ({ url: lookupUrl, body: { ...account, ...members } })
  const pinned = (...posts: readonly unknown[]) => ({ url: pinnedUrl, body: posts })
  const own = { id: "1", uri: `${actorUrl}/statuses/1`, account: { id: "7" }, content: `<p>${proof}</p>` }
  const proofField = { fields: [{ name: "KEZ", value: proof }] }
  return [
    channelCase(
      "secure-field",
      "the API of the same server",
      at(jrd(), refused, lookup(proofField), pinned()),
      foundInProfile,
    ),
    channelCase(
      "secure-url",
      "without uri, by the profile page",
      at(jrd(), refused, lookup({ ...proofField, uri: undefined }), pinned()),
      foundInProfile,
    ),
    channelCase(
      "secure-pinned",
      "a pinned post by the API",
      at(jrd(), refused, lookup({}), pinned(own)),
      foundIn(own.uri),
    ),
    channelCase("secure-absent", "nothing in it", at(jrd(), refused, lookup({}), pinned()), absent()),
    channelCase(
      "secure-unlisted",
      "pinned posts are not listed",
      at(jrd(), refused, lookup({}), { url: pinnedUrl, status: 401 }),
      unreachable("net.status"),
    ),
    channelCase(
      "secure-other",
      "an answer about another actor",
      at(jrd(), refused, lookup({ ...proofField, uri: "https://social.example/users/2" })),
      unreachable("net.status", "only answers signed requests"),
    ),
    channelCase(
      "secure-other-page",
      "without uri, by a page that is not the account's",
      at(jrd(), refused, lookup({ ...proofField, uri: undefined, url: "https://social.example/@mallory" })),
      unreachable("net.status"),
    ),
    channelCase(
      "secure-other-name",
      "an account of another name",
      at(jrd(), refused, lookup({ ...proofField, username: "mallory" })),
      unreachable("net.status"),
    ),
    channelCase(
      "secure-pinned-other",
      "a pinned post of another account is skipped",
      at(jrd(), refused, lookup({}), pinned({ ...own, account: { id: "8" } })),
      absent(),
    ),
    channelCase(
      "secure-redirect",
      "an answer of another host",
      at(jrd(), refused, {
        ...lookup(proofField),
        finalUrl: "https://other.example/api/v1/accounts/lookup?acct=alice",
      }),
      unreachable("net.status"),
    ),
    channelCase(
      "secure-closed",
      "no public API",
      at(jrd(), { url: actorUrl, status: 403 }, { url: lookupUrl, status: 401 }),
      unreachable("net.status", "only answers signed requests"),
    ),
  ]
}
