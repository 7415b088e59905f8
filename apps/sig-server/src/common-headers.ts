/** Headers that do not depend on what is answered. */

export const commonHeaders = { "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" } as const

/** Pages of other origins may read, and read only. SPEC STORE-14 */
export const readerHeaders = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "ETag, Kez-Chain, Kez-Forks, Retry-After, X-Request-Id",
} as const
