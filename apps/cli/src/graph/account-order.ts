/** In which order accounts are drawn: by kind of place, then by name. It depends on nothing else. */

const systems: readonly string[] = ["dns", "github", "bluesky", "ap", "nostr", "kez"]

export function compareSubjects(a: string, b: string): number {
  const [rankA, rankB] = [rankOf(a), rankOf(b)]
  if (rankA !== rankB) return rankA - rankB
  return a < b ? -1 : a > b ? 1 : 0
}

function rankOf(subject: string): number {
  const rank = systems.indexOf(subject.slice(0, subject.indexOf(":")))
  return rank === -1 ? systems.length : rank
}
