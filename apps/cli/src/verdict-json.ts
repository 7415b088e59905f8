/** A verdict for programs: the data of `kez.verify/1`. docs/json.md */
import { type Evidence, formatTime, type Verdict } from "@kez/core"
import type { Answer } from "./consult.ts"
import type { Proven } from "./store/verdicts.ts"

/** Every member is always there, but for those of evidence; what is not known is null. */
export function verdictJson({ verdict, lastProven, health }: Answer) {
  const { status, reason, subject, primary, claim, chain, flags, evidence } = verdict
  return {
    status,
    reason: reason ?? null,
    subject,
    primary: primary ?? null,
    claim: claim === undefined ? null : claimJson(claim),
    chain: chain === undefined ? null : chainJson(chain),
    flags,
    evidence: evidence.map(evidenceJson),
    checked_at: formatTime(verdict.checkedAt),
    retry_after_seconds: verdict.retryAfterSeconds ?? null,
    last_proven: lastProven === undefined ? null : provenJson(lastProven),
    channel: health === undefined ? null : { canary: health.name, ok: health.ok },
  }
}

function claimJson({ digest, primary, createdAt, expiresAt }: NonNullable<Verdict["claim"]>) {
  return { digest, primary, created_at: createdAt, expires_at: expiresAt ?? null }
}

function chainJson({ id, head, liveUntil }: NonNullable<Verdict["chain"]>) {
  return { id, head: { ...head, expires_at: liveUntil ?? null } }
}

export function evidenceJson({ kind, source, code, note, fetchedAt, httpStatus, sha256 }: Evidence) {
  return {
    kind,
    source,
    ...(code === undefined ? {} : { code }),
    ...(note === undefined ? {} : { note }),
    ...(fetchedAt === undefined ? {} : { fetched_at: formatTime(fetchedAt) }),
    ...(httpStatus === undefined ? {} : { http_status: httpStatus }),
    ...(sha256 === undefined ? {} : { sha256 }),
  }
}

function provenJson({ provenAt, primary, chain, accountId }: Proven) {
  return { at: formatTime(provenAt), primary, chain: chain ?? null, account_id: accountId ?? null }
}
