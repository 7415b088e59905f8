/** Headers that do not depend on what is answered. */

/** No policy for referrers: it would be about what a page loads and links to, and nothing here is a page. */
export const commonHeaders = { "x-content-type-options": "nosniff" } as const

/** Pages of other origins may read, and read only. SPEC STORE-14 */
export const readerHeaders = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "ETag, Kez-Chain, Kez-Forks, Retry-After, X-Request-Id",
} as const
