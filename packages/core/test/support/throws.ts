/** Assertions on codes. */
import assert from "node:assert/strict"
import type { Code } from "../../src/codes.ts"
import { KezError } from "../../src/error.ts"

/** The code of what `action` throws; undefined when it throws nothing. Anything but a `KezError` fails the test. */
export function codeOf(action: () => unknown): Code | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof KezError) return error.code
    throw error
  }
}

export function refuses(action: () => unknown, code: Code): void {
  assert.equal(codeOf(action), code)
}

/** The same for a promise. */
export async function refusesLater(promise: Promise<unknown>, code: Code): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof KezError, String(error))
    assert.equal(error.code, code)
    return true
  })
}
