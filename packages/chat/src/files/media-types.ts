/** What a file may be, by its name. */
const mediaTypes: Readonly<Record<string, string>> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  pdf: "application/pdf",
  txt: "text/plain",
  md: "text/markdown",
  mp4: "video/mp4",
  mp3: "audio/mpeg",
  zip: "application/zip",
}

/** A hint for the eyes; nothing is opened by it. */
export function mediaTypeOf(name: string): string {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase()
  return Object.hasOwn(mediaTypes, extension) ? (mediaTypes[extension] ?? "") : "application/octet-stream"
}
