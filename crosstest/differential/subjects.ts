/** The accounts that claims, chains and verdicts are about. */
export const subjects: readonly string[] = ["github:alice", "dns:a.example", "github:bob", "ap:alice@social.example"]
