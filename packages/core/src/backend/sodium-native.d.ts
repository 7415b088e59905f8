/** The one function of sodium-native that is used; the package has no types of its own. */
declare module "sodium-native" {
  export function crypto_sign_verify_detached(signature: Buffer, message: Buffer, publicKey: Buffer): boolean
}
