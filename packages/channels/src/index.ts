/** Public names of the channels package. */
export {}
