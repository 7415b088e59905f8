/** Everything that other packages may call. Each name is listed by hand. */
export { type Code, codes } from "./codes.ts"
export { KezError, type KezErrorOptions } from "./error.ts"
