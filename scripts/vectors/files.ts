/** The list of vector files. */

import { chainDocuments } from "./chain-documents.ts"
import { channelAp } from "./channel-ap.ts"
import { channelBluesky } from "./channel-bluesky.ts"
import { channelDns } from "./channel-dns.ts"
import { channelGithub } from "./channel-github.ts"
import { channelKez } from "./channel-kez.ts"
import { channelNostr } from "./channel-nostr.ts"
import { encodings } from "./encodings.ts"
import { envelopes } from "./envelopes.ts"
import { forks } from "./forks.ts"
import { identities } from "./identities.ts"
import { canonicalJson, json } from "./json.ts"
import { link } from "./link.ts"
import { mnemonics } from "./mnemonics.ts"
import { nostrChains } from "./nostr-chains.ts"
import { replays } from "./replay.ts"
import { sharedFiles } from "./shared-files.ts"
import { ed25519Vectors, schnorrVectors } from "./signatures.ts"
import { streams } from "./streams.ts"
import { times } from "./times.ts"
import { formatVectorFile } from "./vector-file.ts"
import { verdicts } from "./verdicts.ts"

/** File name in vectors/ to its text. */
export async function vectorFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["identities.json", formatVectorFile(identities())],
    ["json.json", formatVectorFile(json())],
    ["canonical-json.json", formatVectorFile(canonicalJson())],
    ["times.json", formatVectorFile(times())],
    ["ed25519.json", formatVectorFile(ed25519Vectors())],
    ["schnorr.json", formatVectorFile(schnorrVectors())],
    ["envelopes.json", formatVectorFile(await envelopes())],
    ["encodings.json", formatVectorFile(await encodings())],
    ["chain-documents.json", formatVectorFile(await chainDocuments())],
    ["sigchain-link.json", formatVectorFile(link())],
    ["sigchain-replay.json", formatVectorFile(await replays())],
    ["sigchain-forks.json", formatVectorFile(await forks())],
    ["verdicts.json", formatVectorFile(await verdicts())],
    ["mnemonics.json", formatVectorFile(mnemonics())],
    ["channel-ap.json", formatVectorFile(channelAp())],
    ["channel-dns.json", formatVectorFile(channelDns())],
    ["channel-bluesky.json", formatVectorFile(channelBluesky())],
    ["channel-kez.json", formatVectorFile(await channelKez())],
    ["channel-github.json", formatVectorFile(channelGithub())],
    ["channel-nostr.json", formatVectorFile(await channelNostr())],
    ["nostr-chains.json", formatVectorFile(await nostrChains())],
    ["shared-files.json", formatVectorFile(await sharedFiles())],
    ["streams.json", formatVectorFile(streams())],
  ])
}
