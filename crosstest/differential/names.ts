/** Spellings of identities, right and wrong. SPEC §1. */

import type { Dice } from "./dice.ts"
import { keys } from "./keys.ts"

const canonical = [
  ...["dns:a.example", "dns:xn--bcher-kva.example", "github:jason", "github:a-b-1", "bluesky:alice.example.com"],
  ...["ap:alice@social.example", "ap:a_b.c-d@social.example", "kez:alice@chat.example", "kez:al-ice_2@localhost"],
]

const spellings = [
  ...[
    "dns:A.Example",
    "dns:a.example.",
    "dns:a.example..",
    "dns:a",
    "dns:a.1",
    "dns:-a.example",
    "dns:a-.example",
    "dns:bücher.example",
  ],
  ...[
    `dns:${"a".repeat(63)}.example`,
    `dns:${"a".repeat(64)}.example`,
    `dns:${"a.".repeat(123)}example`,
    `dns:${"a.".repeat(124)}ab`,
  ],
  ...[
    "DNS:a.example",
    "Github:Jason",
    "github:-a",
    "github:a-",
    "github:a--b",
    `github:${"a".repeat(39)}`,
    `github:${"a".repeat(40)}`,
  ],
  ...[
    "mastodon:@Alice@Social.Example",
    "mastodon:alice@social.example",
    "ap:@alice@social.example",
    "ap:@@alice@social.example",
  ],
  ...[
    "ap:alice",
    "ap:a.@social.example",
    "ap:.a@social.example",
    `ap:${"a".repeat(64)}@b.example`,
    `ap:${"a".repeat(65)}@b.example`,
  ],
  ...[
    "bluesky:@Alice.Example.com",
    "bluesky:alice",
    "bluesky:@@a.example",
    "kez:@Alice@Chat.Example",
    "kez:al@chat.example",
    "kez:1ab@chat.example",
  ],
  ...[
    "kez:a--b@chat.example",
    "kez:a-_b@chat.example",
    "kez:abc@LOCALHOST",
    "kez:abc@localhost.",
    `kez:${"a".repeat(31)}@localhost`,
  ],
  ...[
    "did:plc:abcdefghijklmnopqrstuvwx",
    "ens:a.eth",
    "x:y",
    ":",
    "a:",
    ":a",
    "",
    "github",
    "git hub:a",
    "github:a ",
    " github:a",
  ],
  ...[
    "gith\u212ab:a",
    "github:\u212aez",
    "github:ſ",
    "dns:a\u3002example",
    "npub1y3jnatzrgjyqqtxqdwlm0ug0uxyerc6lnljrqtd75mfr20wq4vwqskmn49",
  ],
  ...[
    `ed25519:${"0".repeat(64)}`,
    `ed25519:01${"00".repeat(31)}`,
    `ed25519:ef${"ff".repeat(30)}7f`,
    `ed25519:${"f".repeat(64)}`,
    `ed25519:ec${"ff".repeat(30)}7f`,
  ],
  ...[
    `ed25519:${"AB".repeat(32)}`,
    `ed25519:${"ab".repeat(31)}`,
    `ed25519:${"ab".repeat(33)}`,
    "nostr:npub1",
    "nostr:nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
  ],
  ...[
    "nostr:NPUB1Y3JNATZRGJYQQTXQDWLM0UG0UXYERC6LNLJRQTD75MFR20WQ4VWQSKMN49",
    `x:${"y".repeat(254)}`,
    `x:${"y".repeat(255)}`,
    `é:${"y".repeat(255)}`,
  ],
]

export const identityTexts: readonly string[] = [...canonical, ...spellings, ...keys.map(({ key }) => key)]

/** Another spelling of the same name, or a name beside it. */
export function nextOf(dice: Dice, text: string): string {
  const colon = text.indexOf(":")
  const [system, value] = [text.slice(0, colon), text.slice(colon + 1)]
  return dice.pick([
    text.toUpperCase(),
    `${system}:${value.toUpperCase()}`,
    `${system.toUpperCase()}:${value}`,
    `${system}:@${value}`,
    `${text}.`,
    `${text} `,
    `${system}:${value}:`,
    `${dice.pick(["dns", "github", "ap", "mastodon", "bluesky", "kez", "ed25519", "nostr", "did"])}:${value}`,
    `${system}:${value.slice(0, -1)}${dice.pick([..."abz019-_.@q"])}`,
    `${system}:${value}${dice.pick([..."abz019-_.@q"])}`,
    `${system}:${value.slice(1)}`,
    canonical[dice.below(canonical.length)] ?? text,
  ])
}
