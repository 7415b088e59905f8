/** Valid envelopes with one fault. */

export type Change = (envelope: MutableEnvelope) => void
/** The parsed text of a valid envelope, to be damaged. */
export interface MutableEnvelope {
  kez: unknown
  payload: Record<string, unknown>
  signature: Record<string, unknown>
  [member: string]: unknown
}

/** The text of an envelope after a change. */
export function damaged(text: string, change: Change): string {
  const envelope: MutableEnvelope = JSON.parse(text)
  change(envelope)
  return JSON.stringify(envelope)
}
