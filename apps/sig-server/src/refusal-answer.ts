/** How a refusal is answered, whoever speaks HTTP, and what the log hears of it. SPEC STORE-4 */
import { formatProblem, type Problem, problemType } from "@kez/server"
import { errorFields, type Log } from "@kez/server/log"

export function refusalHeaders({ headers }: Problem): Readonly<Record<string, string>> {
  return { "content-type": problemType, "cache-control": "no-store", ...headers }
}

export const refusalText = formatProblem

/** Only faults of the server: what is refused is its sender's matter, and a full disk is told by /readyz. */
export function logFault(
  log: Log,
  { status }: Problem,
  about: { readonly error: unknown; readonly request: string; readonly route: string | undefined },
): void {
  const { error, request, route } = about
  if (status >= 500 && status !== 507) log.error({ request, route, ...errorFields(error) }, "a request failed")
}
