/** Modules that load with their first use. `import()` looks for its file again each time, which is much work for many accounts. */

export function lazy<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () => {
    loading ??= load()
    return loading
  }
}
