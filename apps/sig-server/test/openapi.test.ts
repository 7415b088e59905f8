/** /openapi.json says what the server does: every route, every status, every body. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { codes, envelopeDigest, formatEnvelope } from "@kez/core"
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import { add } from "../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import { makeApp, post } from "./support/test-app.ts"

interface Operation {
  readonly operationId: string
  readonly parameters?: ReadonlyArray<{
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: object
  }>
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: object }>> }
    >
  >
}

interface Document {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const owner = keyNamed("openapi owner")
const genesis = add(undefined, "dns:example.org", owner)
const id = envelopeDigest(genesis)

async function readDocument(baseUrl?: string): Promise<Document> {
  const { http } = makeApp({ baseUrl })
  const answer = await http.inject({ url: "/openapi.json" })
  assert.equal(answer.statusCode, 200)
  return answer.json()
}

const operations = (document: Document) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

const compile = (schema: object): ValidateFunction =>
  new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)

test("the document is OpenAPI 3.1: paths, parameters, bodies and answers are whole, and each schema compiles", async () => {
  const document = await readDocument()
  assert.match(document.openapi, /^3\.1\.\d$/)
  assert.ok(document.info.title !== "" && document.info.version !== "")
  const names = operations(document).map(({ operation }) => operation.operationId)
  assert.equal(new Set(names).size, names.length)
  for (const { path, operation } of operations(document)) {
    assert.match(path, /^\/[^:]*$/)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    const parameters = operation.parameters ?? []
    assert.deepEqual(
      parameters.filter((one) => one.in === "path").map((one) => one.name),
      inPath,
    )
    for (const one of parameters) {
      assert.equal(one.required, one.in === "path")
      compile(one.schema)
    }
    assert.ok(Object.keys(operation.responses).length > 0)
    for (const [status, answer] of Object.entries(operation.responses)) {
      assert.match(status, /^[2-5]\d\d$/)
      assert.notEqual(answer.description, "")
      for (const { schema } of Object.values(answer.content ?? {})) compile(schema)
    }
    for (const { schema } of Object.values(operation.requestBody?.content ?? {})) compile(schema)
  }
})

test("the document names the base URL of the configuration", async () => {
  const document = (await readDocument("https://sigs.example.org")) as unknown as { servers: unknown }
  assert.deepEqual(document.servers, [{ url: "https://sigs.example.org" }])
})

test("every route is in the document, and no other", async () => {
  const document = await readDocument()
  const { app, http } = makeApp({ metricsOnMain: true })
  const served = app.docs.map(({ method, url }) => `${method.toLowerCase()} ${url.replaceAll(/:(\w+)/g, "{$1}")}`)
  assert.deepEqual(
    operations(document)
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
    served.sort(),
  )
  for (const { method, url } of app.docs) assert.ok(http.hasRoute({ method, url }), url)
})

test("problems list all codes of the library", async () => {
  const document = await readDocument()
  const schema = document.paths["/v1/events"]?.["get"]?.responses["400"]?.content?.["application/problem+json"]?.schema
  assert.deepEqual((schema as { properties: { code: { enum: unknown } } }).properties.code.enum, codes)
})

/** One request for each answer that can be had without a socket; all of them have to be in the document, with their schema. */
test("answers are of a status, a content type and a shape that the document gives", async () => {
  const document = await readDocument()
  const app = makeApp({
    metricsOnMain: true,
    writes: { chain: { burst: 2, perHour: 1 }, ip: { burst: 0, perHour: 0 }, genesis: { burst: 0, perHour: 0 } },
  })
  const events = `/v1/chains/${id}/events`
  const second = add(genesis, "dns:b.example", owner)
  const texts = [genesis, genesis, second, add(genesis, "dns:c.example", owner), add(second, "dns:d.example", owner)]
  const seen = new Set<string>()
  const check = (path: string, method: string, answer: { statusCode: number; headers: object; body: string }) => {
    const given = document.paths[path]?.[method]?.responses[answer.statusCode]
    assert.ok(given, `${method} ${path} ${answer.statusCode}`)
    seen.add(`${method} ${path} ${answer.statusCode}`)
    const type = String((answer.headers as Record<string, unknown>)["content-type"] ?? "").split(";")[0] ?? ""
    if (given.content === undefined) return assert.equal(answer.body, "")
    const schema = given.content[type]?.schema
    assert.ok(schema, `${method} ${path} ${answer.statusCode}: ${type}`)
    if (!type.endsWith("json")) return
    const validate = compile(schema)
    assert.ok(validate(JSON.parse(answer.body)), JSON.stringify(validate.errors))
  }
  const named = "/v1/chains/{id}"
  for (const event of texts) check(`${named}/events`, "post", await post(app.http, events, formatEnvelope(event)))
  for (const body of ["{", "x".repeat(5_000)]) check(`${named}/events`, "post", await post(app.http, events, body))
  check(`${named}/events`, "post", await post(app.http, events, "{}", { "content-type": "text/plain" }))
  check(`${named}/events`, "post", await post(app.http, "/v1/chains/x/events", "{}"))
  for (const rest of ["", "/head", "/forks"]) {
    for (const name of [id, `sha256:${"0".repeat(64)}`, "x"]) {
      check(`${named}${rest}`, "get", await app.http.inject({ url: `/v1/chains/${name}${rest}` }))
    }
  }
  check(named, "get", await app.http.inject({ url: `/v1/chains/${id}`, headers: { "if-none-match": "*" } }))
  check(`${named}/heads`, "post", await post(app.http, `/v1/chains/${id}/heads`, "{}"))
  check("/v1/events", "get", await app.http.inject({ url: "/v1/events?limit=0" }))
  for (const path of ["/v1/events", "/livez", "/readyz", "/version", "/metrics", "/openapi.json"]) {
    check(path, "get", await app.http.inject({ url: path }))
  }
  app.drain()
  check("/readyz", "get", await app.http.inject({ url: "/readyz" }))
  for (const status of [200, 201, 400, 409, 413, 415, 422, 429])
    assert.ok(seen.has(`post ${named}/events ${status}`), `${status}`)
})
