/** The OpenAPI 3.1 document, made from the routes themselves: it cannot say anything else than they do. */
import type { Answer, JsonSchema, RouteDoc } from "./route-doc.ts"

interface Parameter {
  readonly name: string
  readonly in: "path" | "query"
  readonly required: boolean
  readonly schema: unknown
}

export interface OpenApiOptions {
  readonly title: string
  readonly version: string
  readonly summary: string
  /** By which others reach the server; undefined: the one that served the document. */
  readonly baseUrl: string | undefined
  /** Of a POST. */
  readonly maxBodyBytes: number
}

export function createOpenApi(docs: readonly RouteDoc[], options: OpenApiOptions): object {
  const { title, version, summary, baseUrl, maxBodyBytes } = options
  const paths: Record<string, Record<string, unknown>> = {}
  for (const doc of docs) {
    const path = doc.url.replaceAll(/:(\w+)/g, "{$1}")
    paths[path] = { ...paths[path], [doc.method.toLowerCase()]: operationOf(doc, maxBodyBytes) }
  }
  return {
    openapi: "3.1.0",
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    info: {
      title,
      version,
      summary,
      license: { name: "MIT OR Apache-2.0" },
    },
    servers: [{ url: baseUrl ?? "/" }],
    paths,
  }
}

function operationOf(doc: RouteDoc, maxBodyBytes: number): object {
  const parameters = [...parametersOf("path", doc.params), ...parametersOf("query", doc.query)]
  const answers = Object.entries(doc.answers).map(([status, answer]) => [status, answerOf(answer)])
  return {
    operationId: doc.operation,
    summary: doc.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(doc.body !== undefined && { requestBody: bodyOf(doc.body, maxBodyBytes) }),
    responses: Object.fromEntries(answers),
  }
}

function parametersOf(place: Parameter["in"], schema: JsonSchema | undefined): readonly Parameter[] {
  const properties = schema?.["properties"]
  if (typeof properties !== "object" || properties === null) return []
  return Object.entries(properties).map(([name, member]) => ({
    name,
    in: place,
    required: place === "path",
    schema: member,
  }))
}

function bodyOf(schema: JsonSchema, maxBodyBytes: number): object {
  return {
    required: true,
    description: `At most ${maxBodyBytes} bytes`,
    content: { "application/json": { schema } },
  }
}

function answerOf({ description, type, schema }: Answer): object {
  if (type === undefined) return { description }
  return { description, content: { [type]: { schema: schema ?? { type: "string" } } } }
}
