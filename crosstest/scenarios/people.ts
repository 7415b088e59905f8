/** Whose identities the scenarios use: restored in both tools from the same words, which are those of public test vectors. */
import type { Person } from "./tool.ts"

export const people: readonly Person[] = [
  {
    name: "alice",
    system: "ed25519",
    words: "legal winner thank year wave sausage worth useful legal winner thank yellow",
  },
  {
    name: "laptop",
    system: "ed25519",
    words: "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
  },
  { name: "phone", system: "ed25519", words: "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong" },
  { name: "safe", system: "ed25519", words: `${"abandon ".repeat(11)}about` },
  {
    name: "nora",
    system: "nostr",
    words: "jelly better achieve collect unaware mountain thought cargo oxygen act hood bridge",
  },
  { name: "paper", system: "ed25519", words: `${"abandon ".repeat(23)}art` },
]

/** 24 words with a nostr key, for what is not stored. */
export const nostrWords24 =
  "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length"
