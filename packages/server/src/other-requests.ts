/** Requests that no route takes, and those whose end is in doubt. */
import { Problem } from "./problem.ts"
import type { RouteDoc } from "./route-doc.ts"

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Two codings, or one that is not chunked: a proxy in front may have seen another end of the request. [G11] */
export function faultOfCoding(headers: Headers): Problem | undefined {
  const coding = headers["transfer-encoding"]
  if (coding !== undefined && String(coding).toLowerCase() !== "chunked") {
    return new Problem({
      status: 400,
      code: "net.http",
      detail: "Cannot read the request: expected one transfer coding",
    })
  }
  if (headers["content-encoding"] === undefined) return undefined
  return new Problem({
    status: 415,
    code: "net.content_type",
    detail: "Cannot take the body: expected no content coding",
  })
}

/** Answers to `OPTIONS`: pages of other origins may read, and read only. `asked`: headers that they may send. */
export function preflightHeaders(asked: readonly string[]): Readonly<Record<string, string>> {
  return {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD",
    "access-control-allow-headers": asked.join(", "),
    "access-control-max-age": "86400",
  }
}

/** For a URL that no route of `docs` took: 405 with what may be done there, or 404. */
export function createUnknown(docs: readonly RouteDoc[]): (url: string) => Problem {
  const known = docs.map(({ method, url }) => ({
    method,
    form: new RegExp(`^${url.replaceAll(".", "\\.").replaceAll("*", ".+").replaceAll(/:\w+/g, "[^/]+")}$`),
  }))
  return (url) => {
    const path = url.split("?", 1)[0] ?? ""
    const methods = known
      .filter(({ form }) => form.test(path))
      .map(({ method }) => (method === "GET" ? "GET, HEAD" : method))
    const isElsewhere = methods.length > 0
    return new Problem({
      status: isElsewhere ? 405 : 404,
      code: "usage",
      detail: isElsewhere
        ? `Cannot do that here: expected ${methods.join(", ")}`
        : "Cannot find it: there is no such path",
      headers: isElsewhere ? { allow: methods.join(", ") } : {},
    })
  }
}
