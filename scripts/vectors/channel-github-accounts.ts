/** Cases of vectors/channel-github.json about accounts that are gone, renamed or taken over. SPEC §7.3 [GH-8]. */
import { absent, channelCase, found, invalid, type WebAnswer } from "./channel-case.ts"
import {
  api,
  at,
  file,
  gist,
  jason,
  list,
  listUrl,
  noRepo,
  page,
  proof,
  userNow,
  whole,
} from "./channel-github-answers.ts"
import type { VectorCase } from "./vector-file.ts"

export function accountCases(): readonly VectorCase[] {
  const known = { known_account_id: "583231" }
  const missing: WebAnswer = { url: listUrl, status: 404, body: { message: "Not Found" } }
  const taken = { ...jason, id: 77 }
  return [
    channelCase("no-account", "nobody has the login", at(missing), absent("GitHub has no account named jason")),
    channelCase(
      "renamed",
      "nobody has the login, and the account that had it has another",
      { ...at(missing, userNow(583231, "Jason2")), ...known },
      invalid("account.renamed", "github:jason2"),
    ),
    channelCase(
      "gone",
      "the account is gone too",
      { ...at(missing, { url: `${api}/user/583231`, status: 404 }), ...known },
      absent(),
    ),
    channelCase(
      "taken-over",
      "P3 another account has the login: its number is given, and where the known one is now",
      {
        ...at(
          list(gist("a1", {}, { owner: taken })),
          whole("a1", proof, "kez.md", { owner: taken }),
          userNow(583231, "Jason2"),
        ),
        ...known,
      },
      found("77", [[proof, `${page}/a1`]]),
    ),
    channelCase(
      "taken-over-bare",
      "another account has the login and proves nothing",
      {
        ...at(
          list(gist("a1", { name: "b.txt" }, { owner: taken })),
          file("a1", "no", "b.txt"),
          noRepo,
          userNow(583231, "Jason2"),
        ),
        ...known,
      },
      invalid("account.changed"),
    ),
    channelCase(
      "taken-over-empty",
      "another account has the login and shows no number at all",
      { ...at(list(), noRepo, userNow(583231, "Jason2")), ...known },
      invalid("account.changed"),
    ),
    channelCase(
      "still-there",
      "the same account without a proof",
      { ...at(list(), noRepo, userNow(583231, "Jason")), ...known },
      absent(),
    ),
  ]
}
