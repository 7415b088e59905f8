/** Where an account that a chain lists can be visited. Only from closed forms: no text of a chain becomes a scheme or a host by itself. */
import { KezError, parseCanonicalIdentity } from "@kez/core"

export interface AccountLink {
  /** Of the place: `GitHub`. */
  readonly place: string
  readonly name: string
  readonly url: string | undefined
}

/** Undefined for what is no canonical identity. */
export function accountLink(subject: string): AccountLink | undefined {
  const identity = tryParse(subject)
  if (identity === undefined) return undefined
  const { system, value } = identity
  switch (system) {
    case "github":
      return { place: "GitHub", name: value, url: `https://github.com/${value}` }
    case "dns":
      return { place: "Domain", name: value, url: `https://${value}` }
    case "bluesky":
      return { place: "Bluesky", name: `@${value}`, url: `https://bsky.app/profile/${value}` }
    case "ap": {
      const [user = "", host = ""] = value.split("@")
      return { place: "Fediverse", name: `@${value}`, url: `https://${host}/@${user}` }
    }
    case "kez": {
      const [handle = "", host = ""] = value.split("@")
      return { place: "KEZ", name: `@${value}`, url: host === "localhost" ? undefined : `https://${host}/@${handle}` }
    }
    case "nostr":
      return { place: "Nostr", name: value, url: undefined }
    case "ed25519":
      return { place: "Key", name: value, url: undefined }
  }
}

function tryParse(subject: string): ReturnType<typeof parseCanonicalIdentity> | undefined {
  try {
    return parseCanonicalIdentity(subject)
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}
