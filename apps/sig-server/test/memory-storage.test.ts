/** The storage of the tests does what every storage must do, or tests that stand on it prove nothing. */

import { testStorage } from "./storage-suite.ts"
import { createMemoryStorage, createPlace } from "./support/memory-storage.ts"

testStorage("memory", {
  async makePlace() {
    const place = createPlace()
    return { open: async () => createMemoryStorage(place), remove: async () => {} }
  },
})
