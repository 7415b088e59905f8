/** What one route answers: for /openapi.json, and for the tests that hold the route to it. */

/** JSON Schema 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>

export interface Answer {
  readonly description: string
  /** Without it, the answer has no body. */
  readonly type?:
    | "application/json"
    | "application/jrd+json"
    | "application/jsonl"
    | "application/problem+json"
    | "application/octet-stream"
    | "text/event-stream"
    | "text/html"
    | "text/plain"
  readonly schema?: JsonSchema
}

export interface RouteDoc {
  readonly method: "GET" | "POST"
  /** As Fastify writes it: `/v1/chains/:id`. */
  readonly url: string
  /** Its name in clients that are generated. */
  readonly operation: string
  readonly summary: string
  readonly params?: JsonSchema
  readonly query?: JsonSchema
  /** Of the envelope that is posted. */
  readonly body?: JsonSchema
  readonly answers: Readonly<Record<number, Answer>>
}
