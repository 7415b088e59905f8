/** A graph for programs: the data of `kez.graph/1`. docs/json.md */
import { type Evidence, formatTime } from "@kez/core"
import { evidenceJson } from "../verdict-json.ts"
import type { Account, Centre, GraphDevice, IdentityGraph } from "./graph-model.ts"

/** Every member is always there, but for those of evidence; what is not known is null. */
export function graphJson({ asked, centre, accounts, devices, checkedAt }: IdentityGraph) {
  return {
    asked,
    identity: centreJson(centre),
    accounts: accounts.map(accountJson),
    devices: devices.map(deviceJson),
    checked_at: formatTime(checkedAt),
  }
}

function centreJson({ primary, previous, chain }: Centre) {
  return {
    primary: primary ?? null,
    previous,
    chain:
      chain === undefined
        ? null
        : { id: chain.id, status: chain.status, head: { ...chain.head, expires_at: chain.freshUntil ?? null } },
  }
}

function accountJson(account: Account) {
  return {
    subject: account.subject,
    asked: account.isAsked,
    status: account.status,
    reason: account.reason ?? null,
    flags: account.flags,
    proven: account.isProven,
    badge: account.badge,
    listed: account.isListed ?? null,
    account_id: account.permanentId ?? null,
    expires_at: account.expiresAt ?? null,
    evidence: account.evidence === undefined ? null : placeJson(account.evidence),
    last_proven: account.lastProven === undefined ? null : formatTime(account.lastProven),
    retry_after_seconds: account.retryAfterSeconds ?? null,
  }
}

/** Of places only, so the kind says nothing. */
function placeJson(evidence: Evidence) {
  const { kind: _, ...place } = evidenceJson(evidence)
  return place
}

function deviceJson({ key, addedBy, seq, isSuspended, isAsked }: GraphDevice) {
  return { key, added_by: addedBy, seq, suspended: isSuspended, asked: isAsked }
}
